import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, loadSite, type SiteConfig } from "@firstlight/service";
import { writeArtefacts } from "./artefacts.ts";
import { choosePorts, embeddedSite } from "./embedded.ts";
import { STATE } from "../folders.ts";
import { claim } from "../postgres/leftover.ts";
import { SECTIONS } from "../sections.ts";

export interface Wanted {
  /** The site's file; absent: the embedded site, whose file is written into `stateDir`. */
  readonly file: string | undefined;
  readonly stateDir: string;
  readonly machines: number;
  readonly timeoutSeconds: number;
}

/** A site whose file is valid and whose state folder is this process's own. */
export interface Prepared {
  readonly file: string;
  /** Whether the CLI finds it without being told. */
  readonly isDefault: boolean;
  readonly site: SiteConfig;
  readonly sections: Readonly<Record<string, unknown>>;
  /** What a reader should know: a port that was taken. */
  readonly notes: readonly string[];
  release(): void;
}

/** The configuration is not valid. */
export class Faulty extends Error {
  readonly code = "FL_FAULTY";
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super("the configuration has faults");
    this.faults = faults;
  }
}

/** Reads or writes the site's file, and takes its state folder: two sites never share one. */
export async function prepare(wanted: Wanted, env: NodeJS.ProcessEnv): Promise<Prepared> {
  return wanted.file === undefined ? embedded(wanted, env) : own(wanted.file, env);
}

function own(file: string, env: NodeJS.ProcessEnv): Prepared {
  const { site, sections } = load(file, env);
  return { file, isDefault: false, site, sections, notes: [], release: take(site.site.stateDir) };
}

async function embedded({ stateDir, machines, timeoutSeconds }: Wanted, env: NodeJS.ProcessEnv): Promise<Prepared> {
  const release = take(stateDir);
  try {
    const { ports, moved } = await choosePorts();
    const file = join(stateDir, "site.yaml");
    writeFileSync(file, embeddedSite({ machines, ports, deadlineSeconds: timeoutSeconds }));
    const { site, sections } = load(file, env);
    writeArtefacts(join(stateDir, "artefacts"));
    return { file, isDefault: stateDir === STATE, site, sections, notes: moved, release };
  } catch (error) {
    release();
    throw error;
  }
}

function load(file: string, env: NodeJS.ProcessEnv) {
  const loaded = loadSite(file, SECTIONS, env);
  if (loaded.is === "faulty") throw new Faulty(loaded.faults);
  return loaded;
}

function take(stateDir: string): () => void {
  mkdirSync(stateDir, { recursive: true, mode: 0o755 });
  return claim(stateDir);
}
