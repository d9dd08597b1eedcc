import { ACTIONS, ARCHES, STATES } from "@firstlight/api-client";
import type { BootService } from "@firstlight/api-client/gen/firstlight/v1/boot_pb.js";
import { fillSentence } from "@firstlight/service";
import type { Pool } from "pg";
import { addressText, detailOf, macOf, textOf, traceOf } from "../grpc/field.ts";
import { Finder } from "../machine/finder.ts";
import { decide } from "../machine/lifecycle.ts";
import { findMachine, type MachineRow } from "../machine/rows.ts";
import { invalid, callRefused } from "../grpc/error.ts";
import { REASONS } from "../reasons.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Roster } from "../machine/roster.ts";
import type { Tokens } from "./token.ts";
import type { Handlers } from "../grpc/server.ts";
import type { Site } from "../ipam/site.ts";

export interface BootParts {
  readonly pool: Pool;
  readonly roster: Roster;
  readonly recorder: Pick<Recorder, "phoneHome">;
  readonly site: Site;
  readonly tokens: Tokens;
}

const MAX_TOKEN = 128;
const KNOWN_ARCHES = new Set<number>([0, ...Object.values(ARCHES)]);

/** Decides what a machine does next. Its identity is the address that is leased to its MAC; the lease is checked here again. */
export function bootHandlers({ pool, roster, recorder, site, tokens }: BootParts): Handlers<typeof BootService> {
  const finder = new Finder(pool);

  async function client(request: { address: string; mac: string }): Promise<{ address: string; mac: string }> {
    const mac = macOf(request.mac, "mac");
    const address = addressText(request.address, "address");
    if (!(await site.holds(mac, address))) throw callRefused("not-leased", { address, mac });
    return { address, mac };
  }

  /** Makes a MAC that is seen for the first time (part of) a machine, up to the limit. */
  async function enrolled(mac: string): Promise<MachineRow | undefined> {
    const id = (await roster.resolve([mac], new Set([mac]))).get(mac);
    return id === undefined ? undefined : findMachine(pool, id);
  }

  return {
    async decide(request) {
      traceOf(request.trace, "trace");
      if (!KNOWN_ARCHES.has(request.arch)) throw invalid("arch", "value-of-another-version");
      const { mac } = await client(request);
      const machine = (await finder.find(mac)) ?? (await enrolled(mac));
      if (!machine) throw callRefused("mac-not-found", { mac });
      const { action, because, part } = decide(machine, mac);
      const role = machine.interfaces.find((other) => other.mac === mac)?.role ?? "other";
      const isTenant = action === "tenant";
      return {
        machineId: machine.id,
        machineName: machine.name,
        version: BigInt(machine.version),
        action: ACTIONS[action],
        reason: because,
        because: `${machine.name} is ${machine.state}: ${fillSentence(REASONS[because].sentence, { role })}`,
        role,
        token: part === undefined ? "" : tokens.of(machine, part),
        script: isTenant ? (machine.script ?? "") : "",
        userData: isTenant ? (machine.userData ?? "") : "",
      };
    },

    async phoneHome(request) {
      const trace = traceOf(request.trace, "trace");
      const detail = detailOf(request.detail, "detail");
      const token = textOf(request.token, "token", MAX_TOKEN);
      const { mac, address } = await client(request);
      const home = { mac, address, detail, token, ...(trace !== undefined && { trace }) };
      const machine = await recorder.phoneHome(home);
      return { machineId: machine.id, state: STATES[machine.state] };
    },
  };
}
