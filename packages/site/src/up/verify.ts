import { setTimeout as sleep } from "node:timers/promises";
import type { Operator } from "@firstlight/api-client";
import type { DnsdConfig } from "@firstlight/dnsd/config";
import { machinePages, type Machine } from "../commands/machines.ts";
import { prove, shortcomings, type Evidence, type Expected } from "./evidence.ts";
import { contextOf } from "../folders.ts";
import { openResolver, type BothWays } from "./lookup.ts";
import { openOperator } from "../operator.ts";
import type { Prepared } from "./prepare.ts";
import { stateWord, table } from "../print.ts";
import type { Supervised } from "../process/process.ts";
import type { Screen } from "./screen.ts";

export interface Verification {
  readonly prepared: Prepared;
  /** The simulated rack, where there is one: its boots must have ended. */
  readonly rack: Supervised | undefined;
  readonly screen: Screen;
  readonly until: AbortSignal;
  readonly timeoutSeconds: number;
}

interface Witnesses {
  readonly operator: Operator;
  readonly bothWays: BothWays;
  /** When a rack was powered on: its earlier boots do not count. */
  readonly since: number;
}

const LOOK_EVERY_MS = 250;
const AT_A_TIME = 32;

/**
 * Asks the API as an operator, and dnsd as any resolver would, until every expected machine is Ready, each of its
 * interfaces has an address of its own and a name that leads there and back, and its boot is on record. Prints what it
 * found; false when time ran out before, with the reasons one a line.
 */
export async function verify(verification: Verification): Promise<boolean> {
  const { prepared, rack, screen, until, timeoutSeconds } = verification;
  const expected = prepared.sections["expectedMachines"] as readonly Expected[];
  const deadline = Date.now() + timeoutSeconds * 1000;
  using operator = openOperator(contextOf(prepared.site.site.stateDir));
  const witnesses: Witnesses = { operator, bothWays: openResolver(nameServer(prepared)), since: rack?.spawnedAt ?? 0 };
  const proven = new Map<string, Evidence>();
  for (;;) {
    const evidence = await gather(expected, witnesses, proven).catch((error: unknown) => unreachable(expected, error));
    const missing = [
      ...(rack?.readiness().ready === false ? [`rack: ${rack.readiness().detail}`] : []),
      ...evidence.flatMap(({ name, missing: why }) => why.map((because) => `${name}: ${because}`)),
    ];
    if (until.aborted) return false;
    if (missing.length === 0 || Date.now() > deadline) {
      screen.line(`\n${report(evidence)}\n`);
      for (const because of missing) screen.failure(because);
      if (missing.length === 0) screen.line(`All ${evidence.length} machines are Ready.`);
      else screen.failure(`Not all machines were Ready within ${timeoutSeconds} s.`);
      return missing.length === 0;
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: until }).catch(() => {});
  }
}

/** Checks all machines once. A proven boot is not checked again, except for its state and addresses. */
async function gather(
  expected: readonly Expected[],
  witnesses: Witnesses,
  proven: Map<string, Evidence>,
): Promise<readonly Evidence[]> {
  const machines = new Map<string, Machine>();
  for await (const page of machinePages(witnesses.operator))
    for (const machine of page) machines.set(machine.name, machine);
  const taken = new Map<string, string>();
  const evidence = expected.map((one): Evidence => {
    const machine = machines.get(one.name);
    const missing = shortcomings(one, machine, taken);
    return { name: one.name, machine, missing, bootSeconds: proven.get(one.name)?.bootSeconds };
  });
  const due = evidence.filter(({ name, missing }) => missing.length === 0 && !proven.has(name)).slice(0, AT_A_TIME);
  await Promise.all(
    due.map(async (one) => {
      const proof = { ...one, ...(await prove(one.machine!, witnesses)) };
      if (proof.missing.length === 0) proven.set(one.name, proof);
      else evidence[evidence.indexOf(one)] = proof;
    }),
  );
  return evidence.map((one) => {
    if (one.missing.length > 0) return one;
    const proof = proven.get(one.name);
    return proof === undefined
      ? { ...one, missing: ["is not proven yet"] }
      : { ...one, bootSeconds: proof.bootSeconds };
  });
}

const unreachable = (expected: readonly Expected[], error: unknown): readonly Evidence[] => {
  const { details, message } = error as { details?: string; message: string };
  const missing = [`the API does not say: ${details ?? message}`];
  return expected.map(({ name }) => ({ name, machine: undefined, bootSeconds: undefined, missing }));
};

function report(evidence: readonly Evidence[]): string {
  return table([
    ["MACHINE", "STATE", "HOST", "BMC", "DPU", "NAME", "BOOT"],
    ...evidence.map(({ name, machine, bootSeconds }) => {
      const of = (role: string) => machine?.interfaces.find((one) => one.role === role);
      const state = machine === undefined ? "unknown" : stateWord(machine.state);
      const addresses = ["host", "host_bmc", "dpu_oob"].map((role) => of(role)?.address ?? "");
      return [
        name,
        state,
        ...addresses,
        of("host")?.fqdn ?? "",
        bootSeconds === undefined ? "" : `${bootSeconds.toFixed(1)} s`,
      ];
    }),
  ]);
}

/** Where dnsd listens, as this machine reaches it. */
function nameServer({ sections }: Prepared): string {
  return ((sections["dnsd"] as DnsdConfig).listen[0] ?? "")
    .replace(/^0\.0\.0\.0:/, "127.0.0.1:")
    .replace(/^\[::\]:/, "[::1]:");
}
