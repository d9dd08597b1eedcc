import type { Affected, Applied } from "@firstlight/ipam";
import { nameText } from "@firstlight/wire/dns";

/** The commands that remove a batch's names from unbound's cache, negative answers included; none if whole zones are flushed. */
export function flushesOf(affected: Affected, changes: readonly Applied[]): string[] {
  if (affected.is === "zones") return [];
  const owners = [...[...affected.owners].map(nameText), ...affected.refused].filter(isOneWord);
  const texts = new Set(changes.flatMap(textOwners));
  return owners.flatMap((owner) => [`flush ${owner}`, ...(texts.has(owner) ? [`flush_type ${owner} TXT`] : [])]);
}

/** `flush` knows the types that are fast to find, and TXT is none of them. */
function textOwners(change: Applied): string[] {
  if (change.is !== "row") return [];
  return [change.row, change.before].flatMap((name) =>
    name?.kind === "name" && name.type === "TXT" ? [name.owner] : [],
  );
}

/**
 * Whole zones: slow, for unbound walks its cache. Its manual says that serve-expired goes on serving what is flushed so;
 * 1.17.1 does not.
 */
export function flushesOfZones(zones: Iterable<string>): string[] {
  return [...zones].map((zone) => `flush_zone ${zone}`);
}

/** A name with an octet that is written `\DDD`, a space or a control character, is not flushed; its TTL ends it. */
function isOneWord(owner: string): boolean {
  return /^[\x21-\x7e]{1,1024}$/.test(owner) && !/\\\d{3}/.test(owner);
}
