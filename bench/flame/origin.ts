import type { Frame } from "./profile.ts";

/** Where a function comes from, by its URL: the name of our package, or `library`, `node`, `garbage`, `native`. */
export function originOf({ name, url }: Pick<Frame, "name" | "url">): string {
  if (name === "(garbage collector)") return "garbage";
  const ours = /\/packages\/([\w-]+)\/src\//.exec(url)?.[1];
  if (ours !== undefined) return ours;
  if (url.includes("/node_modules/")) return "library";
  if (url.startsWith("node:")) return "node";
  return "native"; // V8's own functions, system calls, (program)
}

/** A function's label: `decide dhcpd/decide.ts:12`, `query pg/client.js:500`. */
export function labelOf({ name, url, line }: Frame): string {
  const path = /\/packages\/([\w-]+)\/src\/(.*)$/.exec(url);
  if (path) return `${name} ${path[1]}/${path[2]}:${line}`;
  const library = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?:.*\/)?([^/]+)$/.exec(url);
  if (library) return `${name} ${library[1]}/${library[2]}:${line}`;
  return url === "" ? name : `${name} ${url.split("/").slice(-2).join("/")}`;
}

/** Every frame below this one. */
function* framesOf({ callees }: Frame): Generator<Frame> {
  for (const callee of callees.values()) {
    yield callee;
    yield* framesOf(callee);
  }
}

/** Own time of all frames in microseconds, summed by key, highest first. */
export function selfBy(root: Frame, key: (frame: Frame) => string): (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const frame of framesOf(root)) {
    if (frame.selfUs > 0) sums.set(key(frame), (sums.get(key(frame)) ?? 0) + frame.selfUs);
  }
  return [...sums].toSorted((a, b) => b[1] - a[1]);
}
