import { createNotifier } from "@firstlight/changefeed";
import type pg from "pg";
import { BEGIN } from "../store/locks.ts";
import { transaction } from "../store/transaction.ts";
import { WRITERS } from "./apply.ts";
import { type Format, read, render } from "./format.ts";
import { type Changed, compare, judge } from "./judge.ts";
import { keyOfCells, type SheetKind } from "./kinds.ts";
import { admitLeases, type LeaseImport, type LeaseOutcome } from "./lease/admit.ts";
import { isNetbox, type Place, translate } from "./netbox.ts";
import { type Cells, few, type Fault, type Line } from "./sheet.ts";
import { byKey, stored } from "./stored.ts";

/** Sheets of the IPAM, in and out. */
export interface Exchange {
  /** All rows of a kind. */
  export(kind: SheetKind, format: Format): Promise<string>;
  /** All of the sheet or, with every fault, nothing. Rows that it does not name stay as they are. */
  import(sheet: ImportRequest, actor: string): Promise<Imported>;
  /** Takes over what another DHCP server promised; one outcome each, in order. */
  importLeases(leases: LeaseImport, actor: string): Promise<LeaseOutcome[]>;
  close(): void;
}

export interface ImportRequest {
  readonly kind: SheetKind;
  readonly format: Format;
  readonly text: string;
  /** Do everything, and take it back: what would be said, and refused, is known. */
  readonly isDryRun: boolean;
  /** Where rows go that name no segment: NetBox has none. */
  readonly segment?: string;
}

export interface Imported {
  readonly faults: readonly Fault[];
  /** What each row did, or would do; those that change nothing are counted only. */
  readonly rows: readonly RowChange[];
  readonly unchanged: number;
  /** What was left out on purpose, and why. */
  readonly notes: readonly Fault[];
}

export interface RowChange {
  readonly row: number;
  readonly kind: SheetKind;
  readonly key: string;
  readonly did: "created" | "changed";
  readonly changed: readonly Changed[];
}

/** Not an error: the way out of a transaction that is not to be, with what it would have said. */
class TakenBack<T> extends Error {
  readonly code = "FL_TAKEN_BACK";
  readonly said: T;

  constructor(said: T) {
    super("taken back");
    this.said = said;
  }
}

/** What was done and committed, or what was taken back. */
async function either<T>(write: Promise<T>, committed: () => void): Promise<T> {
  try {
    const said = await write;
    committed();
    return said;
  } catch (error) {
    if (error instanceof TakenBack) return error.said as T;
    throw error;
  }
}

export function createExchange(pool: pg.Pool): Exchange {
  const notifier = createNotifier(pool);

  async function write(request: ImportRequest, actor: string): Promise<Imported> {
    const { kind, format, text, isDryRun, segment = "" } = request;
    const { lines, faults } = read(format, text);
    if (faults.length > 0) return refused(faults);
    const isForeign = isNetbox(kind, lines);
    const wrong = isForeign ? [] : judge(kind, lines).faults; // before any lock is taken
    if (wrong.length > 0) return refused(wrong);
    return await transaction(pool, BEGIN.edit, async (client) => {
      const { sheets, notes, faults } = isForeign
        ? translate(kind, lines, { ...(await placeOf(client)), segment })
        : { sheets: [{ kind, lines }], notes: [], faults: [] };
      if (faults.length > 0) throw new TakenBack(refused(faults));
      const rows: RowChange[] = [];
      let unchanged = 0;
      for (const sheet of sheets) {
        const done = await writeSheet(client, sheet, actor);
        rows.push(...done.rows);
        unchanged += done.unchanged;
      }
      await client.query("SET CONSTRAINTS ALL IMMEDIATE");
      const imported = { faults: [], rows, unchanged, notes: few(notes) };
      if (isDryRun) throw new TakenBack(imported);
      return imported;
    });
  }

  return {
    export: async (kind, format) => render(kind, format, await stored(pool, kind)),
    import: (request, actor) => either(write(request, actor), () => notifier.notify()),
    importLeases: (asked, actor) =>
      either(
        transaction(pool, BEGIN.leases, async (client) => {
          const outcomes = await admitLeases(client, asked, actor);
          if (asked.isDryRun) throw new TakenBack(outcomes);
          return outcomes;
        }),
        () => notifier.notify(),
      ),
    close: () => notifier.close(),
  };
}

/** One sheet in a transaction; what cannot be takes it back. */
async function writeSheet(
  client: pg.ClientBase,
  { kind, lines: written }: { readonly kind: SheetKind; readonly lines: readonly Line[] },
  actor: string,
): Promise<Pick<Imported, "rows" | "unchanged">> {
  const { lines, faults: wrong } = judge(kind, written);
  if (wrong.length > 0) throw new TakenBack(refused(wrong));
  const before = byKey(kind, await stored(client, kind));
  const { wanted, faults } = compare(kind, before, lines, (cells) => keyOfCells(kind, cells));
  if (faults.length > 0) throw new TakenBack(refused(faults));
  const changing = wanted.filter(({ changed }) => changed.length > 0);
  const refusals = await WRITERS[kind](client, changing, actor);
  if (refusals.length > 0) throw new TakenBack(refused(refusals));
  const rows = changing.map(({ row, key, isNew, changed }): RowChange => {
    return { row, kind, key, did: isNew ? "created" : "changed", changed };
  });
  return { rows, unchanged: wanted.length - changing.length };
}

async function placeOf(client: pg.ClientBase): Promise<Omit<Place, "segment">> {
  // A VLAN by its number, also where a pool gave it.
  const { rows } = await client.query<Cells>(
    "SELECT name, vrf, coalesce(vlan::text, '') AS vlan FROM ipam.segment ORDER BY name",
  );
  return { segments: rows, prefixes: await stored(client, "prefixes") };
}

function refused(faults: readonly Fault[]): Imported {
  const sorted = faults.toSorted((a, b) => (a.row ?? 0) - (b.row ?? 0));
  return { faults: few(sorted), rows: [], unchanged: 0, notes: [] };
}
