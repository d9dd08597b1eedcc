import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender, Peer, Placement, RunningServer } from "../harness/contract.ts";
import { startPinned } from "../harness/process.ts";
import { verifyAnswers, PORT } from "./verify.ts";
import { questions, zoneFiles } from "./content.ts";

/** How one peer is configured for the zones with one worker: its configuration file, and its command. */
interface Recipe {
  readonly name: Peer & ("nsd" | "knot" | "bind" | "pdns");
  readonly packages: readonly string[];
  readonly file: string;
  readonly config: (folder: string, zones: readonly string[]) => string;
  readonly command: (folder: string) => readonly string[];
}

const RECIPES: readonly Recipe[] = [
  {
    name: "nsd",
    packages: ["nsd"],
    file: "nsd.conf",
    command: (folder) => ["/usr/sbin/nsd", "-d", "-c", join(folder, "nsd.conf")],
    config: (folder, zones) => `server:
  ip-address: 127.0.0.1@${PORT}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  minimal-responses: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
${zones.map((zone) => `zone:\n  name: ${zone}\n  zonefile: ${zone}.zone\n`).join("")}`,
  },
  {
    name: "knot",
    packages: ["knot"],
    file: "knot.conf",
    command: (folder) => ["/usr/sbin/knotd", "-c", join(folder, "knot.conf")],
    config: (folder, zones) => `server:
  rundir: "${folder}"
  listen: 127.0.0.1@${PORT}
  udp-workers: 1
  tcp-workers: 1
control:
  listen: "${folder}/knot.sock"
database:
  storage: "${folder}"
template:
  - id: default
    storage: "${folder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
${zones.map((zone) => `  - domain: ${zone}\n    file: ${zone}.zone\n`).join("")}`,
  },
  {
    name: "bind",
    packages: ["bind9"],
    file: "named.conf",
    command: (folder) => ["/usr/sbin/named", "-f", "-n", "1", "-c", join(folder, "named.conf")],
    config: (folder, zones) => `options {
  directory "${folder}"; pid-file "named.pid"; session-keyfile "session.key"; lock-file none;
  listen-on port ${PORT} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; notify no; minimal-responses yes; dnssec-validation no;
};
controls { };
${zones.map((zone) => `zone "${zone}" { type primary; file "${zone}.zone"; check-names ignore; };\n`).join("")}`,
  },
  {
    name: "pdns",
    packages: ["pdns-server", "pdns-backend-bind"],
    file: "pdns.conf",
    command: (folder) => ["/usr/sbin/pdns_server", `--config-dir=${folder}`],
    config: (folder, zones) => {
      const zone = (name: string): string => `zone "${name}" { type master; file "${folder}/${name}.zone"; };\n`;
      writeFileSync(join(folder, "bind.conf"), zones.map(zone).join(""));
      return `launch=bind
bind-config=${folder}/bind.conf
local-address=127.0.0.1
local-port=${PORT}
socket-dir=${folder}
daemon=no
guardian=no
receiver-threads=1
distributor-threads=1
loglevel=3
setuid=
setgid=
`;
    },
  },
];

export const peers: readonly Contender[] = RECIPES.map((recipe) => ({
  name: recipe.name,
  peer: recipe.name,
  packages: recipe.packages,
  start: (placement) => start(recipe, placement),
}));

async function start({ name, file, config, command }: Recipe, { folder, core }: Placement): Promise<RunningServer> {
  const zones = zoneFiles();
  for (const [zone, text] of Object.entries(zones)) writeFileSync(join(folder, `${zone}.zone`), text);
  writeFileSync(join(folder, file), config(folder, Object.keys(zones)));
  const [program, ...args] = command(folder);
  const server = startPinned(name, program!, args, { core, folder });
  try {
    await verifyAnswers(questions(50), server);
  } catch (fault) {
    await server.stop();
    throw fault;
  }
  return { pids: () => [server.pid], [Symbol.asyncDispose]: () => server.stop() };
}
