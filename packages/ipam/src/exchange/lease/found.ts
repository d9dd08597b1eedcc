import type { Fault } from "../sheet.ts";

/** A promise that another DHCP server made to an Ethernet client, and that still runs. */
export interface FoundLease {
  readonly address: string;
  readonly mac: string;
  /** Milliseconds since the epoch; FOREVER for a promise without end. */
  readonly expiresAt: number;
  readonly clientId?: Uint8Array;
  readonly circuitId?: Uint8Array;
  readonly remoteId?: Uint8Array;
  /** Where its entry begins in the file, or in the last of several. */
  readonly line?: number;
}

/** Past any date: 9999-12-31T23:59:59Z. */
export const FOREVER = 253_402_300_799_000;

/** What an entry of a file says of its address: a promise, or why there is none. */
export type Entry =
  | { readonly is: "lease"; readonly lease: FoundLease; readonly at: number }
  | { readonly is: "passed"; readonly because: string };

export const inLine = (entry: Entry, line: number): Entry =>
  entry.is === "lease" ? { ...entry, lease: { ...entry.lease, line } } : entry;

/** What a file or table holds, the newest first: when a client has two, it is using the newer one. */
export interface Found {
  readonly leases: readonly FoundLease[];
  /** How many addresses have no promise that could be taken over, by reason. */
  readonly passed: ReadonlyMap<string, number>;
  readonly faults: readonly Fault[];
}

/** The last entry of each address, judged by the clock of whoever asks; the server checks again by the database's. */
export function settled(entries: ReadonlyMap<string, Entry>, faults: readonly Fault[], now: number): Found {
  const passed = new Map<string, number>();
  const leases: (Entry & { is: "lease" })[] = [];
  for (const entry of entries.values()) {
    const because = entry.is === "passed" ? entry.because : entry.lease.expiresAt <= now ? "expired" : undefined;
    if (because !== undefined) passed.set(because, (passed.get(because) ?? 0) + 1);
    else leases.push(entry as Entry & { is: "lease" });
  }
  leases.sort((a, b) => b.at - a.at);
  return { leases: leases.map(({ lease }) => lease), passed, faults };
}

/** `0x0104…`, `01:04:…` and `1:4:…` as bytes; undefined for anything else. */
export function bytesOf(text: string): Uint8Array | undefined {
  const digits = text.replace(/^0x/i, "");
  const pairs = digits.includes(":")
    ? digits.split(":").map((pair) => pair.padStart(2, "0"))
    : (digits.match(/../g) ?? []);
  const isHex = pairs.every((pair) => /^[0-9a-f]{2}$/i.test(pair)) && (digits.includes(":") || digits.length % 2 === 0);
  return isHex && pairs.length > 0 ? Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)) : undefined;
}

/** `identity` of what is empty or not there is not there. */
export function given<K extends string>(name: K, bytes: Uint8Array | undefined): { [N in K]?: Uint8Array } {
  return (bytes && bytes.length > 0 && bytes.length <= 255 ? { [name]: bytes } : {}) as { [N in K]?: Uint8Array };
}
