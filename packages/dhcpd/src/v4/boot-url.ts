import { splitEndpoint } from "@firstlight/service";
import { z } from "zod";

/** What pxe-http's own section says of where it is; a file without one has its default. */
const pxeHttp = z.looseObject({ listen: z.string().default("127.0.0.1:7080"), baseUrl: z.string().optional() });

/** Machines could not be told where to boot from. */
export class NoBootUrl extends Error {
  readonly code = "FL_NO_BOOT_URL";
}

const ANYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Where machines reach pxe-http: as dhcpd is told, else as pxe-http is told, else where that listens. */
export function bootUrlOf(told: string | undefined, section: unknown): string {
  if (told !== undefined) return told;
  const { baseUrl, listen } = pxeHttp.parse(section ?? {});
  if (baseUrl !== undefined) return baseUrl;
  if (ANYWHERE.has(splitEndpoint(listen).host))
    throw new NoBootUrl(`pxeHttp.listen is ${listen}, which is no address to boot from: set pxeHttp.baseUrl`);
  return `http://${listen}`;
}
