/** A requested name after normalisation: a path below the root, and the boot it belongs to where the name carries one. */
export type Name =
  | { readonly is: "name"; readonly path: string; readonly trace?: string }
  | { readonly is: "refused"; readonly because: NameRefusal };

export type NameRefusal = "name-too-long" | "name-forbidden-characters" | "name-leaves-root" | "name-hidden";

const MOST_CHARACTERS = 255;
const TRACE = /^t\/([0-9a-f]{32})\//;

/**
 * Reads a name as clients send it: leading and doubled slashes mean nothing (GRUB sends them), `t/TRACE/` in front is
 * the boot's trace. Whatever could leave the root, or mean different things to different systems, is refused.
 */
export function normalise(requested: string): Name {
  if (requested.length > MOST_CHARACTERS) return { is: "refused", because: "name-too-long" };
  if (/[^ -~]|\\/.test(requested)) return { is: "refused", because: "name-forbidden-characters" };
  const flat = requested.replaceAll(/\/{2,}/g, "/").replace(/^\//, "");
  const trace = TRACE.exec(flat)?.[1];
  const path = flat.replace(TRACE, "");
  const parts = path.split("/");
  if (parts.includes("..")) return { is: "refused", because: "name-leaves-root" };
  if (parts.some((part) => part.startsWith(".") || part === "")) return { is: "refused", because: "name-hidden" };
  return { is: "name", path, ...(trace !== undefined && { trace }) };
}
