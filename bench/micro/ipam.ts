import { type Change, keyOf, type Lease } from "@firstlight/ipam";
import { domain, iface, lease, ManualClock, prefix, segment } from "@firstlight/kit";
import { Memory } from "../../packages/ipam/src/replica/memory/memory.ts";
import { Tables } from "../../packages/ipam/src/replica/memory/tables.ts";
import { allocationReplica } from "../ipam/allocation-replica.ts";
import type { Case } from "./case.ts";

/** Allocates an address for an unknown machine in a prefix of which half of the addresses are leased. */
export const allocation: Case = {
  name: "ipam address in a /16 half full",
  async open() {
    const replica = await allocationReplica({ address: 0x0a00_0000, length: 16 }, 0.5);
    return {
      run(times) {
        for (let n = 0; n < times; n++) if (!replica.allocate()) throw new Error("the prefix is full");
      },
      close: () => replica[Symbol.asyncDispose](),
    };
  },
};

const LEASES = 20_000;
const FIRST = 0x0a00_0100;

/** One renewal from the change feed, applied to a replica of twenty thousand leases. */
export const change: Case = {
  name: "ipam change applied",
  async open() {
    const memory = new Memory(new ManualClock());
    const tables = new Tables();
    const leases = Array.from({ length: LEASES }, (_, n): Lease =>
      lease({ address: FIRST + n, identity: 0x02f1_0000_0000 + n, interface: n + 1 }),
    );
    const interfaces = leases.map(({ identity: mac, interface: id }) => iface({ id, identity: mac }));
    const site = [domain(), segment(), prefix({ prefix: "10.0.0.0/12" })];
    for (const row of [...site, ...interfaces, ...leases]) tables.put(row);
    memory.swap(tables, { epoch: "micro", position: 0 }, 0);
    let position = 0;
    return {
      run(times) {
        for (let n = 0; n < times; n++) {
          const row = { ...leases[++position % LEASES]!, version: 1 + position };
          if (memory.apply([renewal(row, position)]) === "gap") throw new Error("gap");
        }
      },
    };
  },
};

function renewal(row: Lease, position: number): Change {
  const { version } = row;
  return {
    is: "row",
    position,
    kind: "lease",
    key: keyOf(row),
    version,
    row,
    dns: false,
    at: position,
    actor: "daemon/dhcpd",
  };
}
