import { type CustomTypesConfig, types } from "pg";

const INT8 = 20;

/** Reads int8 as numbers: counts, positions and versions stay far below 2^53, and as numbers they compare. */
export const INT8_AS_NUMBER: CustomTypesConfig = { getTypeParser: parserOf as typeof types.getTypeParser };

function parserOf(oid: number, format?: "text" | "binary"): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- an oid is any number, also one that has no name
  return oid === INT8 ? Number : types.getTypeParser(oid, format);
}
