import { formatMac, type Mac } from "@firstlight/wire";
import type pg from "pg";
import type { Store } from "../store.ts";
import { type Json, rowFrom } from "./rows.ts";

const LOOKUP = `
  SELECT
    (SELECT coalesce(jsonb_agg(i), '[]') FROM ipam.interface i WHERE i.mac = $1) AS interfaces,
    (SELECT coalesce(jsonb_agg(l), '[]') FROM ipam.interface i,
      LATERAL (SELECT * FROM ipam.lease WHERE interface = i.id OFFSET 0) l WHERE i.mac = $1) AS leases,
    (SELECT to_jsonb(e) FROM ipam.expected_device e WHERE e.mac = $1) AS expected`;

/** Everything the database knows of one MAC, in one question. */
export async function lookupClient(pool: pg.Pool, mac: Mac): ReturnType<Store["lookup"]> {
  const { rows } = await pool.query<{ interfaces: Json[]; leases: Json[]; expected: Json | null }>({
    name: "lookup",
    text: LOOKUP,
    values: [formatMac(mac)],
  });
  const { interfaces, leases, expected } = rows[0]!;
  return {
    interfaces: interfaces.map((row) => rowFrom("interface", row)),
    leases: leases.map((row) => rowFrom("lease", row)),
    ...(expected && { expected: rowFrom("expected", expected) }),
  };
}
