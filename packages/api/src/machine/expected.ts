import type { ExpectedDevice } from "@firstlight/ipam";

export interface Expected extends Pick<ExpectedDevice, "machine" | "role"> {
  readonly mac: string;
  readonly serial?: string;
}
