/** The counters of several daemons, read from their `/metrics`. */
export class Counters {
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines.filter((line) => !line.startsWith("#") && !line.endsWith(" 0"));
  }

  static async of(healths: readonly string[]): Promise<Counters> {
    const pages = await Promise.all(
      healths.map(async (health) => {
        const answer = await fetch(`http://${health}/metrics`).catch(() => undefined);
        return answer ? answer.text() : `no metrics at ${health}`;
      }),
    );
    return new Counters(pages.flatMap((page) => page.split("\n")));
  }

  /** The lines worth printing: counters with a reason, packets by type, events left out, and daemons without metrics. */
  get reportLines(): string[] {
    return this.#lines.filter((line) => /because=|dhcp_(packets|replies)_total|left_out_total|^no metrics/.test(line));
  }

  /** The sum of a counter over all its labels. */
  total(name: string): number {
    return this.#lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }
}
