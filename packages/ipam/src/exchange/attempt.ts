import type pg from "pg";
import { EDIT_REASONS } from "../model/edit-reasons.ts";
import { Refused } from "../store/store.ts";
import { refusalOf } from "../store/constraints.ts";
import type { RowRefusal } from "../store/dns/names.ts";
import type { Wanted } from "./judge.ts";
import type { Fault } from "./sheet.ts";

/** Each row that the store refuses costs a turn over the others. */
const MOST_TURNS = 20;

/**
 * What the store refuses is a fault of the row it speaks of; the others are tried again without it, so that one who wrote
 * a sheet by hand learns of more than one fault at a time.
 */
export async function attempt(
  client: pg.ClientBase,
  rows: readonly Wanted[],
  write: (rows: readonly Wanted[]) => Promise<unknown>,
  column?: string,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (let left = rows; left.length > 0 && faults.length < MOST_TURNS;) {
    const refused = await refusalOfTurn(client, () => write(left));
    if (refused === undefined) break;
    const named = left.find((one) => isNamedBy(one, refused));
    faults.push(faultOf(named ?? left[0]!, refused, column));
    left = named ? left.filter((one) => one !== named) : [];
  }
  return faults;
}

/** The refusal of the store; undefined: it has written the rows. */
async function refusalOfTurn(client: pg.ClientBase, write: () => Promise<unknown>): Promise<Refused | undefined> {
  await client.query("SAVEPOINT turn");
  try {
    await write();
    await client.query("RELEASE SAVEPOINT turn");
    return undefined;
  } catch (error) {
    const refused = refusalOf(error);
    if (!(refused instanceof Refused)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT turn");
    return refused;
  }
}

/** Whether a refusal names the row: its prefix, address or MAC as a word of the sentence. */
function isNamedBy({ cells }: Wanted, { message }: Refused): boolean {
  const words = new Set(message.split(/[\s,():=]+(?![0-9a-f]{2}:)|[\s,()]+/));
  return [cells["prefix"], cells["mac"], cells["address"]].some(
    (word) => word !== undefined && word !== "" && words.has(word),
  );
}

/** The refusals of a set of rows as faults of its sheet. `column`: the column at fault if the reason names none. */
export function faultsOf(rows: readonly Wanted[], refusals: readonly RowRefusal[], column?: string): Fault[] {
  return refusals.map(({ n, refused }) => faultOf(rows[n]!, refused, column));
}

function faultOf({ row }: Wanted, { reason, message }: Refused, otherwise: string | undefined): Fault {
  const { column = otherwise } = EDIT_REASONS[reason];
  return { row, ...(column !== undefined && { column }), because: message };
}
