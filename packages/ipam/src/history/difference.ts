/** One column that is not what it was. Values as text; absent: there was, or is, none. */
export interface Difference {
  readonly field: string;
  readonly before?: string;
  readonly after?: string;
}

/** Columns that every change changes, or that say nothing to people. */
const SILENT: ReadonlySet<string> = new Set(["version", "id"]);

/** What differs between two rows as the database writes them, in the order of their columns. */
export function difference(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Difference[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...fields].flatMap((field) => {
    const [was, is] = [textOf(before[field]), textOf(after[field])];
    if (SILENT.has(field) || was === is) return [];
    return [{ field, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
  });
}

function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
