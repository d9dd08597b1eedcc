/** An exchange on a small site of its own, and short words for what its tests do with it. */
import { testPool } from "@firstlight/kit/postgres";
import {
  createExchange,
  type Exchange,
  type Fault,
  faultText,
  type Format,
  type Imported,
  type SheetKind,
} from "../../src/exchange/index.ts";
import { ground, type Ground } from "../ground.ts";

export interface ExchangeHouse extends Ground {
  readonly exchange: Exchange;
  /** Imports as an operator does. */
  put(kind: SheetKind, text: string, format?: Format): Promise<Imported>;
}

export async function house(): Promise<ExchangeHouse> {
  await using parts = new AsyncDisposableStack();
  const site = parts.use(await ground());
  const pool = parts.adopt(testPool(site.url, 2), (pool) => pool.end());
  pool.on("error", () => {});
  const exchange = parts.adopt(createExchange(pool), (exchange) => exchange.close());
  const owned = parts.move();
  return {
    ...site,
    exchange,
    put: (kind, text, format = "csv") => exchange.import({ kind, format, text, isDryRun: false }, "operator/ada"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export const said = (faults: readonly Fault[]): string[] => faults.map(faultText);
