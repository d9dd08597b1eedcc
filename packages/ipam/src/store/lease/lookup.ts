import { formatMac, type Mac } from "@firstlight/wire";
import type pg from "pg";
import type { Store } from "../store.ts";
import { type Json, rowFrom, toMac } from "../../database/rows.ts";

/** MACs asked about at one time; more are refused, and their packets wait for the next retry. */
const MOST = 256;
/** Questions under way; who comes meanwhile goes together in the next one. */
const AT_ONCE = 2;

type Found = Awaited<ReturnType<Store["lookup"]>>;

const LOOKUP = `
  SELECT k.mac::text AS mac,
    (SELECT coalesce(jsonb_agg(i), '[]') FROM ipam.interface i WHERE i.mac = k.mac) AS interfaces,
    (SELECT coalesce(jsonb_agg(l), '[]') FROM ipam.interface i,
      LATERAL (SELECT * FROM ipam.lease WHERE interface = i.id OFFSET 0) l WHERE i.mac = k.mac) AS leases,
    (SELECT to_jsonb(e) FROM ipam.expected_device e WHERE e.mac = k.mac) AS expected
  FROM unnest($1::macaddr[]) k (mac)`;

interface Asked {
  readonly answer: Promise<Found>;
  readonly resolve: (found: Found) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Everything the database knows of one MAC. A hall that is powered on asks about thousands: one answer for many who ask
 * about the same, and one question for all who come while another is under way.
 */
export function createLookup(pool: pg.Pool): Store["lookup"] {
  const asked = new Map<Mac, Asked>();
  let waiting: Mac[] = [];
  let underWay = 0;

  const next = (): void => {
    if (underWay >= AT_ONCE || waiting.length === 0) return;
    const macs = waiting;
    waiting = [];
    underWay++;
    void find(pool, macs)
      .then(
        (found) => macs.map((mac) => asked.get(mac)!.resolve(found.get(mac) ?? { interfaces: [], leases: [] })),
        (fault: unknown) => macs.map((mac) => asked.get(mac)!.reject(fault)),
      )
      .finally(() => {
        for (const mac of macs) asked.delete(mac);
        underWay--;
        next();
      });
  };

  return (mac) => {
    const same = asked.get(mac);
    if (same) return same.answer;
    if (asked.size >= MOST) return Promise.reject(new Error(`${MOST} lookups are under way`));
    const { promise: answer, resolve, reject } = Promise.withResolvers<Found>();
    asked.set(mac, { answer, resolve, reject });
    waiting.push(mac);
    queueMicrotask(next); // who asks in the same breath comes along
    return answer;
  };
}

async function find(pool: pg.Pool, macs: readonly Mac[]): Promise<Map<Mac, Found>> {
  const { rows } = await pool.query<{ mac: string; interfaces: Json[]; leases: Json[]; expected: Json | null }>({
    name: "lookup",
    text: LOOKUP,
    values: [macs.map(toMac)],
  });
  const byText = new Map(macs.map((mac) => [formatMac(mac), mac]));
  return new Map(
    rows.map(({ mac, interfaces, leases, expected }) => [
      byText.get(mac)!,
      {
        interfaces: interfaces.map((row) => rowFrom("interface", row)),
        leases: leases.map((row) => rowFrom("lease", row)),
        ...(expected && { expected: rowFrom("expected", expected) }),
      },
    ]),
  );
}
