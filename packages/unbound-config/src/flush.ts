import type { Affected, Applied } from "@firstlight/ipam";

/** What takes a batch's names out of unbound's cache, a remembered "no" as well. `all` follows when zones changed shape. */
export function flushesOf(affected: Affected, changes: readonly Applied[]): string[] {
  if (affected.is === "zones") return [];
  const owners = [...affected.owners].filter(isOneWord);
  const texts = owners.filter((owner) => changes.some((change) => isText(change, owner)));
  return [...owners.map((owner) => `flush ${owner}`), ...texts.map((owner) => `flush_type ${owner} TXT`)];
}

/** Whole zones: slow, for unbound walks its cache; entries are asked for anew rather than forgotten. */
export function flushesOfZones(zones: Iterable<string>): string[] {
  return [...zones].map((zone) => `flush_zone ${zone}`);
}

/** A name with a space or a control character in it cannot be spoken of; its TTL ends it. */
function isOneWord(owner: string): boolean {
  return /^[\x21-\x7e]{1,1024}$/.test(owner);
}

/** `flush` knows the types that are fast to find, and TXT is none of them. */
function isText({ kind, row, before }: Applied, owner: string): boolean {
  if (kind !== "name") return false;
  return [row, before].some((name) => name?.kind === "name" && name.type === "TXT" && name.owner === owner);
}
