import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dataText,
  dnsName,
  domain,
  iface,
  lease,
  type MemorySite,
  name,
  prefix,
  segment,
  siteOf,
} from "@firstlight/kit";
import * as fc from "fast-check";
import { type Affected, affectedBy, allRecords, recordsAt, refusalOf, type Row } from "../../src/index.ts";
import type { DnsRecord } from "../../src/names/dns-record.ts";

const LAB = [domain(), segment(), prefix()];

/** What a batch means, as a consumer of the feed learns it. */
async function after(site: MemorySite, act: () => void): Promise<Affected> {
  const seen: Affected[] = [];
  using _following = site.replica.follow((event) => {
    if (event.is === "changes") seen.push(affectedBy(site.replica, event.changes));
  });
  act();
  await site.settled();
  return seen[0]!;
}

test("a new lease affects its name and its PTR record only", async () => {
  await using site = await siteOf([...LAB, iface({ label: "node-1" })]);
  const affected = await after(site, () => site.source.push(lease()));
  assert.deepEqual(affected, {
    is: "owners",
    owners: new Set([dnsName("node-1.lab.test"), dnsName("12.0.64.127.in-addr.arpa")]),
    refused: new Set(),
  });
});

test("a declared owner that DNS cannot carry is refused", async () => {
  await using site = await siteOf(LAB);
  const affected = await after(site, () => site.source.push(name({ owner: "a..lab.test" })));
  assert.deepEqual(affected, { is: "owners", owners: new Set(), refused: new Set(["a..lab.test"]) });
  assert.equal(refusalOf(site.replica, "a..lab.test"), "empty label in name");
});

test("a renewal affects no name", async () => {
  await using site = await siteOf([...LAB, iface(), lease()]);
  const affected = await after(site, () => site.source.push(lease({ expiresAt: lease().expiresAt + 1 })));
  assert.deepEqual(affected, { is: "owners", owners: new Set(), refused: new Set() });
});

test("an interface that gets a label leaves its old name", async () => {
  await using site = await siteOf([...LAB, iface(), lease()]);
  const affected = await after(site, () => site.source.push(iface({ label: "node-1" })));
  assert(affected.is === "owners");
  assert(affected.owners.has(dnsName("127-64-0-12.lab.test")) && affected.owners.has(dnsName("node-1.lab.test")));
  assert.deepEqual(recordsAt(site.replica, dnsName("127-64-0-12.lab.test")), []);
  assert.equal(recordsAt(site.replica, dnsName("node-1.lab.test")).length, 1);
});

test("an address that goes to another interface takes the old name along, in one batch with a new label", async () => {
  await using site = await siteOf([...LAB, iface({ label: "a" }), iface({ id: 2, identity: 2, label: "b" }), lease()]);
  const affected = await after(site, () =>
    site.source.push(iface({ label: "c" }), lease({ interface: 2, identity: 2 })),
  );
  assert(affected.is === "owners");
  assert(affected.owners.has(dnsName("a.lab.test")) && affected.owners.has(dnsName("b.lab.test")));
  assert.deepEqual(recordsAt(site.replica, dnsName("a.lab.test")), []);
});

test("a segment that moves to another domain, or a new prefix, asks for new zones; another MTU does not", async () => {
  await using site = await siteOf([...LAB, domain({ id: 2, name: "other.test" })]);
  assert.equal((await after(site, () => site.source.push(segment({ mtu: 9000 })))).is, "owners");
  assert.equal((await after(site, () => site.source.push(segment({ domain: 2 })))).is, "zones");
  assert.equal((await after(site, () => site.source.push(prefix({ id: 2, prefix: "fd00::/64" })))).is, "zones");
});

/** Edits of a small world, as a store may commit them in one transaction. */
const edit = fc.oneof(
  fc
    .record({ id: fc.integer({ min: 1, max: 3 }), label: fc.constantFrom(undefined, "a", "b") })
    .map(({ id, label }): Row => iface({ id, identity: id, ...(label === undefined ? {} : { label }) })),
  fc
    .record({
      host: fc.integer({ min: 2, max: 5 }),
      id: fc.integer({ min: 1, max: 3 }),
      state: fc.constantFrom("bound", "released"),
    })
    .map(({ host, id, state }): Row =>
      lease({ address: 0x7f400000 + host, interface: id, identity: id, state: state as "bound" }),
    ),
  fc
    .record({ id: fc.integer({ min: 1, max: 2 }), owner: fc.constantFrom("a.lab.test", "127-64-0-2.lab.test") })
    .map(({ id, owner }): Row => name({ id, owner, data: `10.0.0.${id}` })),
);

test("an index kept by replacing affected owners equals one built anew, whatever is committed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(edit, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), async (batches) => {
      await using site = await siteOf([
        ...LAB,
        iface({ identity: 1 }),
        iface({ id: 2, identity: 2 }),
        iface({ id: 3, identity: 3 }),
      ]);
      const index = new Map<string, readonly DnsRecord[]>();
      using _following = site.replica.follow((event) => {
        assert(event.is === "changes");
        const affected = affectedBy(site.replica, event.changes);
        assert(affected.is === "owners");
        for (const owner of affected.owners) {
          const records = recordsAt(site.replica, owner);
          if (records.length > 0) index.set(owner, records);
          else index.delete(owner);
        }
      });
      for (const batch of batches) {
        // one interface holds one bound address, as the store's constraint has it
        const holders = new Set<number>();
        const rows = batch.filter(
          (row) => row.kind !== "lease" || (!holders.has(row.interface) && holders.add(row.interface)),
        );
        for (const row of rows) {
          if (row.kind !== "lease") continue;
          const held = site.replica.leaseOf(row.interface);
          if (held && held.address !== row.address) site.source.push({ ...held, state: "released" });
        }
        site.source.push(...rows);
        await site.settled();
      }
      assert.deepEqual(sorted(index.values()), sorted(allRecords(site.replica)));
    }),
    { numRuns: 100 },
  );
});

function sorted(owners: Iterable<readonly DnsRecord[]>): string[] {
  return [...owners]
    .flat()
    .map((record) => `${record.owner} ${record.type} ${dataText(record.data)}`)
    .toSorted();
}
