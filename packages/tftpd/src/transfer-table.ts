import type { Client, Key } from "./client.ts";
import type { Underway } from "./session.ts";

/** The place of one transfer, taken when its request is accepted; the session comes once the file is open. */
export interface Slot {
  readonly client: Client;
  /** The request as it came, to know it again. */
  readonly request: Uint8Array;
  session?: Underway;
}

/** Every transfer under way, by the client's endpoint: bounded overall and for each address. */
export class Slots {
  readonly #by = new Map<Key, Slot>();
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

  of(key: Key): Slot | undefined {
    return this.#by.get(key);
  }

  all(): Slot[] {
    return [...this.#by.values()];
  }

  /** The oldest that never heard from its client: its request may have come from anywhere. */
  oldestUnproven(): Slot | undefined {
    for (const slot of this.#by.values()) if (slot.session?.isProven === false) return slot;
    return undefined;
  }

  add(slot: Slot): void {
    const { key, address } = slot.client;
    this.#by.set(key, slot);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  /** False when it was gone already. */
  remove(slot: Slot): boolean {
    const { key, address } = slot.client;
    if (this.#by.get(key) !== slot) return false;
    this.#by.delete(key);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
    return true;
  }
}
