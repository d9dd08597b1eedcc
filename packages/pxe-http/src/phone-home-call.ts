import { clean, EVENT_LIMITS } from "@firstlight/api-client";
import { type Refused, refused } from "./reasons.ts";

/** What a booted system posts: the token of its boot's decision, and free text fields. */
export interface Call {
  readonly is: "call";
  readonly token: string;
  readonly detail: Readonly<Record<string, string>>;
}

const MOST_TOKEN = 128;

/** A form's pairs or a JSON object as a call. Detail beyond the recorder's limits is cut, never refused: the call matters more. */
export function readCall(body: unknown): Call | Refused {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return refused("body-malformed");
  const fields = new Map<string, unknown>(Object.entries(body));
  const token = fields.get("token");
  if (token === undefined || token === "") return refused("token-missing");
  if (typeof token !== "string" || token.length > MOST_TOKEN || /[^!-~]/.test(token)) return refused("token-malformed");
  fields.delete("token");
  return { is: "call", token, detail: detailOf(fields) };
}

function detailOf(fields: ReadonlyMap<string, unknown>): Record<string, string> {
  const detail = new Map<string, string>();
  for (const [key, value] of fields) {
    if (detail.size === EVENT_LIMITS.keys) break;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const name = clean(key, EVENT_LIMITS.key);
    if (name !== "") detail.set(name, clean(text, EVENT_LIMITS.value));
  }
  return Object.fromEntries(detail);
}
