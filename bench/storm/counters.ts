/** What the daemons of a hall count, read from their metrics pages. */
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

  /** Every no and how often it was said, every kind of packet, and whoever could not be asked. */
  get words(): string[] {
    return this.#lines.filter((line) => /because=|dhcp_(packets|replies)_total|left_out_total|^no metrics/.test(line));
  }

  /** A counter's value over all its labels. */
  total(name: string): number {
    return this.#lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }
}
