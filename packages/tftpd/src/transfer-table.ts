import type { Client, Key } from "./client.ts";
import type { Underway } from "./session.ts";

/** The place of one transfer, taken when its request is accepted; the session comes once the file is open. */
export interface TransferEntry {
  readonly client: Client;
  /** The request as it came, to know it again. */
  readonly request: Uint8Array;
  session?: Underway;
}

/** Every transfer under way, by the client's endpoint: bounded overall and for each address. */
export class TransferTable {
  readonly #by = new Map<Key, TransferEntry>();
  readonly #perAddress = new Map<string, number>();
  readonly #most: number;
  readonly #mostPerAddress: number;

  constructor(most: number, mostPerAddress: number) {
    this.#most = most;
    this.#mostPerAddress = mostPerAddress;
  }

  get size(): number {
    return this.#by.size;
  }

  get isFull(): boolean {
    return this.#by.size >= this.#most;
  }

  hasRoomFor({ address }: Client): boolean {
    return (this.#perAddress.get(address) ?? 0) < this.#mostPerAddress;
  }

  of(key: Key): TransferEntry | undefined {
    return this.#by.get(key);
  }

  all(): TransferEntry[] {
    return [...this.#by.values()];
  }

  /** The oldest transfer whose client never answered: the source of its request may be forged. */
  oldestUnproven(): TransferEntry | undefined {
    for (const entry of this.#by.values()) if (entry.session?.isProven === false) return entry;
    return undefined;
  }

  add(entry: TransferEntry): void {
    const { key, address } = entry.client;
    this.#by.set(key, entry);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  /** False when it was gone already. */
  remove(entry: TransferEntry): boolean {
    const { key, address } = entry.client;
    if (this.#by.get(key) !== entry) return false;
    this.#by.delete(key);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
    return true;
  }
}
