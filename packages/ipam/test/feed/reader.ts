/** A reader of the feed as a process of its own: `node reader.ts URL SNAPSHOT`. Says on stdout what it does, at once, until it is killed. */
import { writeSync } from "node:fs";
import { systemClock } from "@firstlight/service";
import { formatAddress } from "@firstlight/wire";
import { createReplica } from "../../src/feed/follower.ts";
import { PgSource } from "../../src/feed/postgres.ts";

const [url, snapshotFile] = process.argv.slice(2) as [string, string];

/** A line of what it says. */
export type Said =
  | { readonly is: "reload"; readonly at: number }
  | { readonly is: "applied"; readonly first: number; readonly last: number }
  /** By address: the version of its lease. */
  | {
      readonly is: "has";
      readonly at: number;
      readonly from: number;
      readonly loads: number;
      readonly leases: Record<string, number>;
    };

const say = (said: Said): void => void writeSync(1, `${JSON.stringify(said)}\n`);

/** Few at a time: whoever kills it meets it in the middle. */
const batch = 7;
const source = new PgSource({ url, name: "reader" });
const options = { snapshotFile, snapshotEveryMs: 1, pollMs: 5, batch };
const info = (fields: object, message: string): void => {
  if (message === "replica loaded") loads++;
  if (message === "snapshot loaded") from = (fields as { position: number }).position;
};
let [from, loads] = [0, 0];
const { replica } = await createReplica(source, systemClock, { ...options, log: { info, warn() {} } });
const has = (): void => {
  const leases = Object.fromEntries([...replica.leases()].map((one) => [formatAddress(one.address), one.version]));
  say({ is: "has", at: replica.at.position, from, loads, leases });
};
has();
replica.follow((event) => {
  if (event.is === "reload") return say({ is: "reload", at: event.at.position });
  const { changes } = event;
  say({ is: "applied", first: changes[0]!.position, last: changes.at(-1)!.position });
  has();
});
