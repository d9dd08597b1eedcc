/** What one reason means to a reader. The code is the key everywhere; these texts are only shown. */
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

/** The sentence with the facts of the case in the place of their `{name}`; a fact that is missing stays as `{name}`. */
export function fillSentence(sentence: string, facts: Readonly<Record<string, string>>): string {
  return sentence.replaceAll(/\{([a-z]+)\}/gi, (placeholder, name: string) => facts[name] ?? placeholder);
}
