import { styleText } from "node:util";
import { STATES, wordOf } from "@firstlight/api-client";

type Style = Parameters<typeof styleText>[0];

/** Colours on a terminal; none in a pipe or if NO_COLOR is set. */
export const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

/** Columns as wide as their widest cell; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = columnWidths(rows);
  return rows.map((row, index) => (index === 0 ? tableHead(row, widths) : tableLine(row, widths))).join("\n");
}

/** The width of the widest cell of each column of the head, which is the first row. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
}

export const tableHead = (cells: readonly string[], widths: readonly number[]): string =>
  paint("dim", tableLine(cells, widths));

export function tableLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();
}

/** Anything the API answered as plain JSON: times as ISO text, big numbers as numbers, bytes as hex. */
export function json(value: unknown): string {
  return JSON.stringify(plain(value), null, 2);
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const {
    $typeName,
    $unknown: _,
    ...fields
  } = value as { $typeName?: string; $unknown?: unknown; [name: string]: unknown };
  if ($typeName === "google.protobuf.Timestamp") return new Date(timeMs(value as Timestamp)).toISOString();
  if ($typeName === "firstlight.v1.Machine")
    return { ...(plain(fields) as object), state: stateWord(fields["state"] as number) };
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, plain(field)]));
}

interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

export const timeMs = ({ seconds, nanos }: Timestamp): number => Number(seconds) * 1000 + Math.floor(nanos / 1e6);

/** `2026-11-21 06:22:44` in this machine's time zone, `2026-11-21 05:22:44Z` in UTC; empty where there is no time. */
export function timeText(
  time: Timestamp | undefined,
  how: { readonly utc?: boolean; readonly withMs?: boolean } = {},
): string {
  if (time === undefined) return "";
  const at = new Date(timeMs(time));
  const [timeZone, zone] = how.utc === true ? ["UTC", "Z"] : [undefined, ""];
  const ms = how.withMs === true ? `.${String(at.getMilliseconds()).padStart(3, "0")}` : "";
  return `${at.toLocaleString("sv-SE", { timeZone })}${ms}${zone}`;
}

export const stateWord = (state: number): string => wordOf(STATES, state) ?? `state ${state}`;
