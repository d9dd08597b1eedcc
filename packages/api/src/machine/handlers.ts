import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { eventToWire, STATES, wordOf } from "@firstlight/api-client";
import { MachineState } from "@firstlight/api-client/gen/firstlight/v1/boot_pb.js";
import type { MachineSchema, MachineService } from "@firstlight/api-client/gen/firstlight/v1/machine_pb.js";
import { fqdnOf, type Replica } from "@firstlight/ipam";
import { formatAddress, formatMac, isMalformed, parseMac } from "@firstlight/wire";
import type { Pool } from "pg";
import { pageSize, textOf } from "../grpc/field.ts";
import type { LifecycleEvent } from "./lifecycle.ts";
import { findMachine, listMachines, type MachineRow } from "./rows.ts";
import { invalid, callRefused } from "../grpc/error.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Call, Handlers } from "../grpc/server.ts";
import type { Site } from "../ipam/site.ts";
import { timeline } from "../events/timeline.ts";
import type { Watch } from "./watch.ts";

export interface MachineParts {
  readonly pool: Pool;
  readonly replica: Replica;
  readonly site: Site;
  readonly recorder: Pick<Recorder, "apply">;
  readonly watch: Watch;
}

const MAX_KEY = 128;
const MAX_SCRIPT = 64 * 1024;

/** The machines, for operators. */
export function machineHandlers({
  pool,
  replica,
  site,
  recorder,
  watch,
}: MachineParts): Handlers<typeof MachineService> {
  const toWire = (machine: MachineRow) => machineToWire(machine, replica, site);
  const apply = async (name: string, event: LifecycleEvent, { actor }: Call) => ({
    machine: toWire(await recorder.apply(textOf(name, "machine", MAX_KEY, 1), event, actor)),
  });

  return {
    async getMachine(request) {
      const name = textOf(request.machine, "machine", MAX_KEY, 1);
      const machine = await findMachine(pool, name);
      if (!machine) throw callRefused("machine-not-found", { machine: name });
      return { machine: toWire(machine) };
    },

    async listMachines(request) {
      const limit = pageSize(request.pageSize, 100, 1_000);
      const state = wordOf(STATES, request.state);
      if (request.state !== MachineState.UNSPECIFIED && state === undefined)
        throw invalid("state", "value-of-another-version");
      const after = textOf(request.pageToken, "page_token", MAX_KEY);
      const rows = await listMachines(pool, { state, after, limit: limit + 1 });
      const page = rows.slice(0, limit);
      return { machines: page.map(toWire), nextPageToken: rows.length > limit ? page.at(-1)!.name : "" };
    },

    async *watchMachines(_request, { signal }) {
      for await (const machine of watch.follow(signal)) yield { machine: toWire(machine) };
    },

    async getTimeline(request) {
      const name = textOf(request.machine, "machine", MAX_KEY, 1);
      const limit = pageSize(request.limit, 1_000, 5_000, "limit");
      const machine = await findMachine(pool, name);
      const mac = parseMac(name);
      if (!machine && isMalformed(mac)) throw callRefused("machine-not-found", { machine: name });
      const of = machine ? { machine: machine.id } : { mac: formatMac(mac as number) };
      return { events: (await timeline(pool, of, limit)).map(eventToWire) };
    },

    assignMachine(request, call) {
      const tenant = textOf(request.tenant, "tenant", 64, 1);
      const script = textOf(request.script, "script", MAX_SCRIPT, 1);
      const userData = textOf(request.userData, "user_data", MAX_SCRIPT);
      return apply(request.machine, { is: "assign", tenant, script, ...(userData !== "" && { userData }) }, call);
    },

    releaseMachine(request, call) {
      return apply(request.machine, { is: "release" }, call);
    },
  };
}

/** A machine with the addresses of its parts, from the replica. */
function machineToWire(machine: MachineRow, replica: Replica, site: Site): MessageInitShape<typeof MachineSchema> {
  return {
    id: machine.id,
    name: machine.name,
    serial: machine.serial ?? "",
    state: STATES[machine.state],
    version: BigInt(machine.version),
    created: timestampFromMs(machine.createdAt),
    updated: timestampFromMs(machine.updatedAt),
    expected: machine.expected,
    tenant: machine.tenant ?? "",
    interfaces: machine.interfaces.map(({ mac, role }) => {
      const { segment = "", lease } = site.whereabouts(mac) ?? {};
      if (!lease) return { mac, role, segment };
      return { mac, role, segment, address: formatAddress(lease.address), fqdn: fqdnOf(replica, lease) ?? "" };
    }),
  };
}
