/**
 * The rules of this tree: floors of packages, purity of cores, dead files, import circles, sizes, names. They are written here only.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import test from "node:test";

const ROOT = resolve(import.meta.dirname, "..");

/** The floor of each package. A package imports only packages of a lower floor. */
const FLOORS: Readonly<Record<string, number>> = {
  wire: 0,
  datagram: 1,
  service: 1,
  changefeed: 1,
  ipam: 2,
  "api-client": 2,
  "unbound-config": 3,
  dhcpd: 3,
  tftpd: 3,
  "pxe-http": 3,
  dnsd: 3,
  api: 3,
  rack: 3,
  site: 4,
};

/** Pure cores: functions of their arguments, without Node's modules, clock, timers, promises and environment. */
const CORES = [
  "packages/wire/src/**/*.ts",
  "packages/changefeed/src/{change,place,registry,source,fault,epoch,sequence,replica,versioned,table,tombstones}.ts",
  "packages/service/src/{time/backoff,limit/*,config/nearest,lifecycle/readiness,reason}.ts",
  "packages/ipam/src/{model,names,allocation}/*.ts",
  "packages/ipam/src/fields/*.ts",
  "packages/ipam/src/policy/*.ts",
  "packages/ipam/src/usage/*.ts",
  "packages/ipam/src/history/difference.ts",
  "packages/ipam/src/store/lease/judge.ts",
  "packages/ipam/src/tuples/*.ts",
  "packages/ipam/src/replica/memory/{ordered,grouped,address-order,row-order}.ts",
  "packages/ipam/src/exchange/{sheet,kinds,format,judge,netbox}.ts",
  "packages/ipam/src/exchange/lease/{found,token,isc,kea}.ts",
  "packages/api/src/{machine/lifecycle,grpc/page,reasons}.ts",
  "packages/dhcpd/src/{reasons,counted-reasons,refusals}.ts",
  "packages/dhcpd/src/v4/{client,decide,boot,delivery,reply}.ts",
  "packages/dhcpd/src/lease/{without-database,stage,offer-holds}.ts",
  "packages/tftpd/src/{transfer,options,name,netascii,refusal,reasons}.ts",
  "packages/pxe-http/src/{script,ipxe-text,cloud-init,artefact,requester,phone-home-call,because,decisions}.ts",
  "packages/dnsd/src/{answer,arena,name-index,record,reply,revision,rrsets,zones,servers,authority,frames,responder,reasons}.ts",
  "packages/unbound-config/src/{render,clause,view,flush-queue,reasons}.ts",
  "packages/rack/src/core/*.ts",
  "packages/site/src/process/supervise.ts",
];
const IMPURE =
  /\bfrom "node:|\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(|\bsetImmediate\(|\bMath\.random\(|\bprocess\.|\bawait\b|\basync\b/;

const MAX_LINES = 250;
const BANNED_NAMES = /(^|[-_.])(utils?|helpers?|manager|handler2|misc|common)([-_.]|$)/;
const BANNED_WORDS = /\b(TODO|FIXME|XXX)\b|\.only\(/;

/** Names of files that did not say what a file holds, with the names that replaced them. */
const REPLACED_FILES: Readonly<Record<string, string>> = {
  carrier: "transfer-loop",
  front: "raw-connection",
  shelf: "artefact-cache",
  namer: "event-attribution",
  hall: "servers",
  pulse: "progress",
  ledger: "event-counts",
  attachment: "relay",
  promised: "leased-hosts",
  asking: "load",
  filled: "fill-database",
  journal: "event-recorder",
  reading: "read-progress",
};

/** Identifiers that did not say what they are, with the names that replaced them. */
const REPLACED_IDENTIFIERS: Readonly<Record<string, string>> = {
  noteGone: "tombstone",
  tidings: "relocation",
  Unfit: "MissingPrerequisite",
  Journal: "EventRecorder",
  Asker: "ResolverClient",
  undash: "readDerivedLabel",
  whenGone: "onExit",
  DAWN: "CLOCK_START",
  cuttable: "cuttingProxy",
  CuttableLine: "CuttingProxy",
  openHall: "openStormServers",
  allocationGround: "allocationReplica",
  endWithUs: "killOnExit",
  answersRightly: "verifyAnswers",
  mostForeign: "highestForeignCpu",
};

const sources = files("packages/*/src/**/*.ts").filter((file) => !file.includes("/gen/"));
const RULES = "test/tidy.test.ts"; // it has the replaced names
const sourcesAndTests = [
  ...sources,
  ...files("packages/*/test/**/*.ts"),
  ...files("{test,bench,scripts}/**/*.ts"),
].filter((file) => file !== RULES);

function files(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT, exclude: (name) => name === "node_modules" })
    .map(String)
    .toSorted();
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The specifiers that a file imports or re-exports, including types. */
function imports(text: string): string[] {
  const found = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]!);
  return [...found, ...[...text.matchAll(/import\.meta\.resolve\("([^"]+)"\)/g)].map((match) => match[1]!)];
}

function packageOf(file: string): string {
  return file.split("/")[1]!;
}

/** The floor violations of one file. */
export function floorFaults(file: string, text: string): string[] {
  const own = packageOf(file);
  const floor = FLOORS[own];
  if (floor === undefined) return [`${file}: package ${own} has no floor`];
  const ours = imports(text).flatMap((specifier) => /^@firstlight\/([a-z-]+)/.exec(specifier)?.[1] ?? []);
  return ours
    .filter((other) => other !== own && !((FLOORS[other] ?? Number.POSITIVE_INFINITY) < floor))
    .map((other) => `${file}: imports @firstlight/${other}, which is on no lower floor`);
}

test("no package imports a package of its own or a higher floor", () => {
  assert.deepEqual(
    sources.flatMap((file) => floorFaults(file, read(file))),
    [],
  );
});

test("the floor rule finds a planted violation", () => {
  const planted = 'import { daemon } from "@firstlight/dnsd";\n';
  assert.equal(floorFaults("packages/dhcpd/src/planted.ts", planted).length, 1);
  assert.equal(
    floorFaults("packages/ipam/src/planted.ts", 'import type { Api } from "@firstlight/api-client";').length,
    1,
  );
});

test("libraries of floor 1 may import wire and not each other, and wire imports none of them", () => {
  assert.deepEqual(floorFaults("packages/datagram/src/planted.ts", 'from "@firstlight/wire"'), []);
  assert.equal(floorFaults("packages/wire/src/planted.ts", 'from "@firstlight/datagram"').length, 1);
  assert.equal(floorFaults("packages/service/src/planted.ts", 'from "@firstlight/datagram"').length, 1);
});

test("no file imports a file of another package by its path", () => {
  const faults = sources.flatMap((file) =>
    imports(read(file))
      .filter((specifier) => specifier.startsWith("."))
      .filter((specifier) => packageOf(relative(ROOT, join(ROOT, dirname(file), specifier))) !== packageOf(file))
      .map((specifier) => `${file}: ${specifier}`),
  );
  assert.deepEqual(faults, []);
});

/** Daemons that only read the IPAM: they have a replica and no access to its tables. */
const READERS = ["dnsd", "tftpd", "pxe-http", "unbound-config"];
/** The entries of the IPAM that these daemons may import. */
const FOR_READERS = new Set(["@firstlight/ipam", "@firstlight/ipam/config", "@firstlight/ipam/replica"]);

test("daemons that only read cannot import the IPAM's store", () => {
  const faults = sources
    .filter((file) => READERS.includes(packageOf(file)))
    .flatMap((file) =>
      imports(read(file))
        .filter((specifier) => specifier.startsWith("@firstlight/ipam") && !FOR_READERS.has(specifier))
        .map((specifier) => `${file}: ${specifier}`),
    );
  assert.deepEqual(faults, []);
});

test("the IPAM's core and its replica load no file of its store or its operations", () => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const values = read(file).replaceAll(/^(?:import|export) type\b[^;]*;/gm, "");
    for (const specifier of imports(values)) {
      if (specifier.startsWith(".")) load(relative(ROOT, resolve(ROOT, dirname(file), specifier)));
    }
  };
  load("packages/ipam/src/index.ts");
  load("packages/ipam/src/rooms/replica.ts");
  assert.deepEqual(
    [...loaded].filter((file) => /\/ipam\/src\/(?:store|history|exchange)\//.test(file)),
    [],
  );
});

test("cores are pure", () => {
  const faults = CORES.flatMap((pattern) => {
    const found = files(pattern);
    if (found.length === 0) return [`${pattern}: matches no file`];
    return found.flatMap((file) =>
      withoutComments(read(file))
        .split("\n")
        .flatMap((line, i) => (IMPURE.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
    );
  });
  assert.deepEqual(faults, []);
});

function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .replaceAll(/\/\/.*$/gm, "");
}

test("every source file is reached from an entry of its package", () => {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file) || !existsSync(join(ROOT, file))) return;
    reached.add(file);
    for (const specifier of imports(read(file))) {
      if (specifier.startsWith(".")) visit(relative(ROOT, resolve(ROOT, dirname(file), specifier)));
    }
  };
  for (const manifest of files("packages/*/package.json")) {
    const { exports = {}, bin = {} } = JSON.parse(read(manifest)) as Record<string, Record<string, string>>;
    for (const entry of [...Object.values(exports), ...Object.values(bin)]) visit(join(dirname(manifest), entry));
  }
  // Workers and child processes are started by URL, not imported.
  for (const file of sources) {
    for (const match of read(file).matchAll(/new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g)) {
      visit(relative(ROOT, resolve(ROOT, dirname(file), match[1]!)));
    }
  }
  assert.deepEqual(
    sources.filter((file) => !reached.has(file)),
    [],
  );
});

/** The import cycles that a depth-first search finds, including those of types; each as its files in order. */
export function importCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) return void cycles.push([...path.slice(start), file]);
    if (done.has(file)) return;
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}

test("no source files import each other in a circle", () => {
  const graph = new Map(
    sources.map((file) => {
      const relatives = imports(read(file)).filter((specifier) => specifier.startsWith("."));
      return [file, relatives.map((specifier) => relative(ROOT, resolve(ROOT, dirname(file), specifier)))] as const;
    }),
  );
  assert.deepEqual(importCycles(graph), []);
});

test("the circle rule finds a planted circle", () => {
  const graph = new Map([
    ["a.ts", ["b.ts"]],
    ["b.ts", ["c.ts"]],
    ["c.ts", ["b.ts"]],
  ]);
  assert.deepEqual(importCycles(graph), [["b.ts", "c.ts", "b.ts"]]);
});

test(`no source file is longer than ${MAX_LINES} lines`, () => {
  const long = sources
    .map((file) => [file, read(file).split("\n").length] as const)
    .filter(([, lines]) => lines > MAX_LINES);
  assert.deepEqual(long, []);
});

test("no source file has a banned name or word", () => {
  const faults = sources.flatMap((file) => {
    const name = file.split("/").at(-1)!;
    const words = BANNED_WORDS.exec(read(file));
    return [...(BANNED_NAMES.test(name) ? [`${file}: name`] : []), ...(words ? [`${file}: ${words[0]}`] : [])];
  });
  assert.deepEqual(faults, []);
});

/** The replaced names that a file, or its text, still has. */
export function replacedNames(file: string, text: string): string[] {
  const stem = file.split("/").at(-1)!.split(".")[0]!;
  const faults = Object.entries(REPLACED_IDENTIFIERS)
    .filter(([old]) => new RegExp(`\\b${old}\\b`).test(text))
    .map(([old, now]) => `${file}: ${old} is ${now} now`);
  return Object.hasOwn(REPLACED_FILES, stem) ? [`${file}: ${stem} is ${REPLACED_FILES[stem]!} now`, ...faults] : faults;
}

test("no replaced name is back", () => {
  assert.deepEqual(
    sourcesAndTests.flatMap((file) => replacedNames(file, read(file))),
    [],
  );
});

test("the rule for replaced names finds a planted file and a planted identifier", () => {
  assert.deepEqual(replacedNames("bench/storm/hall.test.ts", "class Unfit extends Error {}"), [
    "bench/storm/hall.test.ts: hall is servers now",
    "bench/storm/hall.test.ts: Unfit is MissingPrerequisite now",
  ]);
});

test("every link of the documents has a target", () => {
  const faults = ["README.md", "ARCHITECTURE.md", ...files("docs/**/*.md"), ...files("packages/*/README.md")]
    .filter((file) => existsSync(join(ROOT, file)))
    .flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1]!)
        .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(resolve(ROOT, dirname(file), link)))
        .map((link) => `${file}: ${link}`),
    );
  assert.deepEqual(faults, []);
});
