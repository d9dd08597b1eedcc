/** What dhcpd needs of the API service, without its gRPC server: migrates the database, declares the site, runs the sequencer. Prints `declared` when it is ready. */
import { readFileSync } from "node:fs";
import { expectedMachinesSchema, ipamSchema } from "@firstlight/ipam";
import { createStore, migrateIpam, startSequencer } from "@firstlight/ipam/store";
import { parse } from "yaml";

const [url, siteFile] = process.argv.slice(2);
if (url === undefined || siteFile === undefined) throw new Error("usage: sequencer.ts URL SITE_FILE");
const sections = parse(readFileSync(siteFile, "utf8")) as Record<string, unknown>;
await migrateIpam(url);
const store = createStore({ url, name: "bench-sequencer" });
const [ipam, expectedMachines] = [
  ipamSchema.parse(sections["ipam"] ?? {}),
  expectedMachinesSchema.parse(sections["expectedMachines"] ?? []),
];
await store.declare({ ipam, expectedMachines }, "bench");
await store[Symbol.asyncDispose]();
const sequencer = startSequencer({ url, name: "bench-sequencer" });
process.once("SIGTERM", () => void sequencer[Symbol.asyncDispose]().then(() => process.exit(0)));
console.log("declared");
