/** What one reason means to a reader. Code compares and stores the code; only people read these texts. */
export interface ReasonRow {
  /** What happened. `{name}` stands for a fact of the case. */
  readonly sentence: string;
  /** What an operator does about it. */
  readonly remedy: string;
  /** What the peer gets: a DHCP message type, a DNS response code, a gRPC status, `silence`. */
  readonly answers: string;
}

/** The reasons of one daemon, by code: kebab-case, stable, never reused for another meaning. */
export type ReasonTable = Readonly<Record<string, ReasonRow>>;

/** A reason as `/ready` carries it. */
export interface DescribedReason<Code extends string = string> {
  /** The code: a row of a reason table. */
  readonly because: Code;
  /** The sentence of that row, with the facts of this case. */
  readonly detail: string;
}

/** The code and its sentence from `table`, with `facts` in the place of their `{name}`. */
export function describeReason<Code extends string>(
  table: Readonly<Record<Code, ReasonRow>>,
  because: Code,
  facts: Readonly<Record<string, string>> = {},
): DescribedReason<Code> {
  return { because, detail: fillSentence(table[because].sentence, facts) };
}

/** The sentence with the facts of the case in the place of their `{name}`; a fact that is missing stays as `{name}`. */
export function fillSentence(sentence: string, facts: Readonly<Record<string, string>>): string {
  return sentence.replaceAll(/\{([a-z]+)\}/gi, (placeholder, name: string) => facts[name] ?? placeholder);
}
