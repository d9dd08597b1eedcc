import type pg from "pg";
import { Refused } from "../store/store.ts";
import { refusalOf } from "../store/constraints.ts";
import type { RowRefusal } from "../store/dns/names.ts";
import type { Wanted } from "./judge.ts";
import type { Fault } from "./sheet.ts";

/** Of each column that may be at fault, the word by which a reason speaks of it; the first that does is meant. */
export type Columns = Readonly<Record<string, RegExp>>;

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
  columns: Columns,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (let left = rows; left.length > 0 && faults.length < MOST_TURNS;) {
    const because = await refusalOfTurn(client, () => write(left));
    if (because === undefined) break;
    const named = left.find((one) => isOf(one, because));
    faults.push({ row: (named ?? left[0]!).row, ...columnFor(because, columns), because });
    left = named ? left.filter((one) => one !== named) : [];
  }
  return faults;
}

/** Why the store would not; undefined when it did. */
async function refusalOfTurn(client: pg.ClientBase, write: () => Promise<unknown>): Promise<string | undefined> {
  await client.query("SAVEPOINT turn");
  try {
    await write();
    await client.query("RELEASE SAVEPOINT turn");
    return undefined;
  } catch (error) {
    const refused = refusalOf(error);
    if (!(refused instanceof Refused)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT turn");
    return refused.message;
  }
}

/** Whether a refusal names the row: its prefix, address or MAC as a word of its own. */
function isOf({ cells }: Wanted, because: string): boolean {
  const words = new Set(because.split(/[\s,():=]+(?![0-9a-f]{2}:)|[\s,()]+/));
  return [cells["prefix"], cells["mac"], cells["address"]].some(
    (word) => word !== undefined && word !== "" && words.has(word),
  );
}

/** What the store said of a set, row by row. */
export function faultsOf(rows: readonly Wanted[], refused: readonly RowRefusal[], columns: Columns): Fault[] {
  return refused.map(({ n, because }) => ({ row: rows[n]!.row, ...columnFor(because, columns), because }));
}

function columnFor(because: string, columns: Columns): { column?: string } {
  const column = Object.keys(columns).find((name) => columns[name]!.test(because));
  return column === undefined ? {} : { column };
}
