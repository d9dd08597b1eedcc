import type pg from "pg";

/** A machine as the audit shows it: columns by name. */
export type MachineState = Readonly<Record<string, string | undefined>>;

/** An operator changed a machine. Machines are no rows of the feed, so an entry has both states. */
export interface MachineChange {
  /** The machine's name: the key of its entries. */
  readonly machine: string;
  readonly version: number;
  readonly actor: string;
  readonly before: MachineState;
  readonly after: MachineState;
}

const RECORD = `
  INSERT INTO ipam.audit (position, at, actor, kind, key, version, "row")
  VALUES (coalesce((SELECT max(position) FROM ipam.feed), 0), clock_timestamp(), $1, 'machine', $2, $3, $4)`;

/** Puts the change on record, in the transaction that makes it. */
export async function auditMachine(
  client: pg.ClientBase,
  { machine, version, actor, before, after }: MachineChange,
): Promise<void> {
  await client.query(RECORD, [actor, machine, version, JSON.stringify({ before, after })]);
}
