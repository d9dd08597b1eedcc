import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  Prefix as WirePrefix,
  Segment as WireSegment,
  SegmentOptions as WireOptions,
  SegmentSchema,
} from "@firstlight/api-client/gen/firstlight/v1/ipam_pb.js";
import {
  assignableIn,
  type IpamConfig,
  ipamSchema,
  type FieldTable,
  PREFIX_FIELDS,
  type PrefixRow,
  readValues,
  type Segment,
  SEGMENT_FIELDS,
  SEGMENT_OPTION_FIELDS,
  type SegmentOptions,
  writeValues,
} from "@firstlight/ipam";
import { type PrefixEdit, prefixEdit, type SegmentEdit } from "@firstlight/ipam/store";
import { type Prefix } from "@firstlight/wire";
import { invalid } from "../grpc/error.ts";

type Declared = IpamConfig["segments"][number];

const declared = ipamSchema.shape.segments.unwrap().element;

/** A segment as an operator wrote it, with the same rules and defaults as in the site's file. */
export function segmentEdit(wire: WireSegment | undefined): SegmentEdit {
  if (!wire) throw invalid("segment", "field-missing");
  return editFrom(parse(declared, written(wire))) as SegmentEdit;
}

/** Only what was written: what an update replaces. */
export function segmentChange(wire: WireSegment | undefined): { name: string; change: Partial<SegmentEdit> } {
  if (!wire || wire.name === "") throw invalid("segment.name", "field-empty");
  const { name, ...rest } = written(wire);
  const mask = Object.fromEntries(Object.keys(rest).map((key) => [key, true as const]));
  return { name, change: editFrom(parse(declared.pick(mask as { mtu: true }), rest) as Partial<Declared>) };
}

function parse<T>(
  schema: { safeParse(value: unknown): { data?: T; error?: { issues: { path: PropertyKey[]; message: string }[] } } },
  value: unknown,
): T {
  const { data, error } = schema.safeParse(value);
  const issue = error?.issues[0];
  if (issue)
    throw invalid(`segment.${issue.path.map(String).map(snake).join(".")}`, "field-malformed", {
      fault: issue.message,
    });
  return data as T;
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The fields that are set, in the names of the site's file. */
function written(wire: WireSegment): { name: string } & Record<string, unknown> {
  const { $typeName: _type, $unknown: _unknown, version: _version, drainBy: _by, ...written } = wire;
  const { prefixes, options, name, ...simple } = written;
  const set = Object.entries(simple).filter(([, value]) => value !== undefined);
  return {
    name,
    ...Object.fromEntries(set.map(([key, value]) => pooled(key, value))),
    ...(prefixes.length > 0 && { prefixes: prefixes.map(writtenPrefix) }),
    ...(options && { options: writtenOptions(options) }),
  };
}

/** `vlanPool: "v"` is `vlan: { pool: "v" }` in the site's file. */
function pooled(key: string, value: unknown): readonly [string, unknown] {
  return key.endsWith("Pool") ? [key.slice(0, -"Pool".length), { pool: value }] : [key, value];
}

/** A prefix has no presence of its fields: what is empty or zero is not written. */
function writtenPrefix(wire: WirePrefix): Record<string, unknown> {
  const values = fieldsOf(PREFIX_FIELDS, wire).filter(([, value]) => value !== "" && value !== 0);
  return Object.fromEntries(values);
}

function writtenOptions(options: NonNullable<WireSegment["options"]>): Record<string, unknown> {
  const values = fieldsOf(SEGMENT_OPTION_FIELDS, options).filter(([, value]) => (value as unknown[]).length > 0);
  return Object.fromEntries(values);
}

/** The fields of a table that a message has, as plain values. */
function fieldsOf(table: FieldTable, message: object): [string, unknown][] {
  const values = message as Readonly<Record<string, unknown>>;
  return Object.keys(table).flatMap((name): [string, unknown][] =>
    values[name] === undefined ? [] : [[name, plain(values[name])]],
  );
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const { $typeName: _type, $unknown: _unknown, ...fields } = value as Record<string, unknown>;
  return fields;
}

function editFrom({ prefixes, options, ...settings }: Partial<Declared>): Partial<SegmentEdit> {
  const written = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return {
    ...readValues(SEGMENT_FIELDS, written, refusal("segment")),
    ...(options && { options: options as SegmentOptions }),
    ...(prefixes && { prefixes: prefixes.map((one, i) => prefixEdit(one, refusal(`segment.prefixes.${i}`))) }),
  };
}

const refusal = (path: string) => (field: string, _value: unknown, because: string) =>
  invalid(`${path}.${field}`, "field-malformed", { fault: because });

/** As in an answer; `bound` counts the addresses of a prefix that are bound. */
export function segmentToWire(
  segment: Segment,
  domain: string,
  prefixes: readonly (PrefixEdit & Pick<PrefixRow, "drainBy">)[],
  bound: (prefix: Prefix) => number,
): MessageInitShape<typeof SegmentSchema> {
  return {
    ...inMessage<WireSegment>()(SEGMENT_FIELDS, { state: "active", ...segment }),
    ...Object.fromEntries(Object.entries(segment.fromPools ?? {}).map(([field, pool]) => [`${field}Pool`, pool])),
    domain,
    ...(segment.drainBy !== undefined && { drainBy: timestampFromMs(segment.drainBy) }),
    version: BigInt(segment.version),
    options: inMessage<WireOptions>()(SEGMENT_OPTION_FIELDS, segment.options),
    prefixes: prefixes.map((row) => ({
      ...inMessage<WirePrefix>()(PREFIX_FIELDS, { state: "active", ...row }),
      ...(row.drainBy !== undefined && { drainBy: timestampFromMs(row.drainBy) }),
      assignable: assignable(row),
      bound: BigInt(bound(row.prefix)),
    })),
  };
}

/** The fields of a record in its message, which must have a field for each of the table. */
function inMessage<Message extends object>() {
  return <T extends FieldTable & Readonly<Record<Exclude<keyof T, keyof Message>, never>>>(
    table: T,
    row: object,
  ): Partial<Pick<Message, keyof T & keyof Message>> =>
    writeValues(table, row) as Partial<Pick<Message, keyof T & keyof Message>>;
}

const MOST_UINT64 = 2n ** 64n - 1n;

/** How many addresses can be given, as far as the contract can say. */
function assignable(row: Parameters<typeof assignableIn>[0]): bigint {
  const count = assignableIn(row);
  return count > MOST_UINT64 ? MOST_UINT64 : count;
}
