import { type Operator, reasonOfError } from "@firstlight/api-client";
import type { Command } from "commander";
import { contextFile, NoContext, openOperator } from "../operator.ts";
import { apiRemedy } from "../reasons.ts";

export interface OperatorOptions {
  readonly context?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** A verb that asks the API: with `--json` and `--context`, and a refusal said in one line. */
export function operatorVerb(command: Command): Command {
  return command
    .option("--json", "print JSON")
    .option("--context <file>", "operator context (default: FIRSTLIGHT_CONTEXT, or the embedded site's)")
    .option("--config <file>", "the site's file: the context is in its state folder");
}

export interface TimedOptions extends OperatorOptions {
  readonly utc?: boolean;
}

/** One that prints times. */
export const timedVerb = (command: Command): Command =>
  operatorVerb(command).option("--utc", "times in UTC (default: this machine's time zone)");

/** Asks the API as the operator of the options; a refusal is its sentence and its remedy on stderr, and exit 1. */
export async function ask(options: OperatorOptions, work: (operator: Operator) => Promise<void>): Promise<void> {
  try {
    using operator = openOperator(contextFile(options, process.env));
    await work(operator);
  } catch (error) {
    const said = refusal(error);
    if (said === undefined) throw error;
    process.stderr.write(`firstlight: ${said}\n`);
    process.exitCode = 1;
  }
}

/** grpc-js's status numbers that an operator can act on, in words. */
const STATUS: Readonly<Record<number, string>> = {
  3: "invalid",
  4: "the API did not answer in time",
  5: "not found",
  6: "exists already",
  7: "not allowed",
  8: "too much",
  9: "refused",
  14: "the API is not reachable",
  16: "not authenticated",
};

function refusal(error: unknown): string | undefined {
  if (error instanceof NoContext) return error.message;
  const { code, details } = error as { code?: unknown; details?: unknown };
  if (typeof code !== "number" || typeof details !== "string") return undefined;
  const sentence = `${STATUS[code] ?? `gRPC status ${code}`}: ${details}`;
  const reason = reasonOfError(error)?.reason;
  if (reason === undefined) return sentence;
  const remedy = apiRemedy(reason);
  return `${sentence}\n  ${reason}${remedy === undefined ? "" : `: ${remedy}`}`;
}

/** One page: the contract's fields, and what it listed. */
export interface Page<T> {
  readonly rows: readonly T[];
  readonly nextPageToken: string;
}

/** Page by page, so that a site of any size can be listed. */
export async function* paged<T>(
  turn: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<Page<T>>,
): AsyncGenerator<readonly T[]> {
  for (let pageToken = ""; ;) {
    const { rows, nextPageToken } = await turn({ pageSize: 1000, pageToken });
    yield rows;
    if (nextPageToken === "") return;
    pageToken = nextPageToken;
  }
}
