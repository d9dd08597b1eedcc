import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { SegmentSchema } from "@firstlight/api-client/gen/firstlight/v1/ipam_pb.js";
import { type Segment, SEGMENT_FIELDS } from "@firstlight/ipam";
import { z } from "zod";
import { segmentChange, segmentToWire } from "../src/ipam/segment.ts";

/** A value that a setting may have and that is not its default, from its schema. */
function sampleOf(schema: z.ZodType): unknown {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as z.core.JSONSchema.JSONSchema;
  const one = json.anyOf?.[0] ?? json;
  if (one.enum) return one.enum.at(-1);
  if (one.type === "boolean") return json.default !== true;
  if (one.type === "integer") return one.minimum! + 1;
  return one.format === "ipv4" ? "10.9.8.7" : "sample";
}

for (const [name, { schema }] of Object.entries(SEGMENT_FIELDS)) {
  test(`${name} of a segment goes through the API and back`, () => {
    const written = { name: "sample", [name]: sampleOf(schema) };
    const { change } = segmentChange(create(SegmentSchema, written));
    const row = { ...change, name: "sample", id: 1, version: 1, kind: "segment", options: {} } as unknown as Segment;
    const answer = segmentToWire(row, change.domain ?? "", [], () => 0) as Record<string, unknown>;
    assert.deepEqual(answer[name], written[name]);
  });
}
