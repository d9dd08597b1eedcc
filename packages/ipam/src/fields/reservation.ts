import { z } from "zod";
import type { Field } from "./field.ts";

/** The settings of a reservation beside its address and its identity, in the order of the site's file and of its sheet. */
export const RESERVATION_FIELDS = {
  note: {
    schema: z.string().max(256).optional().describe("For people: why it is reserved"),
    sql: "text",
    sheet: { form: "text", isFree: true },
  },
} as const satisfies Readonly<Record<string, Field>>;
