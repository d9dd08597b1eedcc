import { Ordered } from "./ordered.ts";

/** Rows with unique names, in the order of the names: for kinds of which a site has thousands. */
export class ByName<R extends { readonly name: string }> {
  readonly #names = new Ordered<string>();
  readonly #rows = new Map<string, R>();

  add(row: R): void {
    this.#names.add(row.name);
    this.#rows.set(row.name, row);
  }

  drop({ name }: R): void {
    this.#names.drop(name);
    this.#rows.delete(name);
  }

  get(name: string): R | undefined {
    return this.#rows.get(name);
  }

  /** Those beyond this name, or all. */
  *after(name?: string): Iterable<R> {
    for (const next of this.#names.after(name)) yield this.#rows.get(next)!;
  }
}
