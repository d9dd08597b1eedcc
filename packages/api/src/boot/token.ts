import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import type { Pool } from "pg";
import type { Machine } from "../machine/lifecycle.ts";

/** Makes and checks the token of a fetched decision (ADR 0007). */
export interface Tokens {
  of(machine: Pick<Machine, "id" | "task">, part: string): string;
  proves(token: string, machine: Pick<Machine, "id" | "task">, part: string): boolean;
}

export function createTokens(secret: Uint8Array): Tokens {
  const key = createSecretKey(secret); // made once: from bytes, each digest would make it anew
  const digest = ({ id, task }: Pick<Machine, "id" | "task">, part: string): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([id, task, part]))
      .digest();
  return {
    of: (machine, part) => digest(machine, part).toString("base64url"),
    proves(token, machine, part) {
      const given = Buffer.from(token, "base64url");
      const right = digest(machine, part);
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
}

/** The site's secret: created by the first API process, then the same for all. */
export async function loadSecret(pool: Pool): Promise<Uint8Array> {
  await pool.query("INSERT INTO api.secret (bytes) VALUES ($1) ON CONFLICT DO NOTHING", [randomBytes(32)]);
  const { rows } = await pool.query<{ bytes: Buffer }>("SELECT bytes FROM api.secret");
  return rows[0]!.bytes;
}
