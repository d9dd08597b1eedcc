/**
 * The same zone content for everybody: hosts named by their address in `bench.test`, and the way back. A function of the
 * number alone, so that every round and every contender is asked the same.
 */
export const HOSTS = 20_000;
export const FORWARD = "bench.test";
const REVERSE = "64.10.in-addr.arpa";
export const PREFIX = "10.64.0.0/16";
export const TTL_SECONDS = 60;
export const MINIMUM_SECONDS = 5;

/** The address of host `n` as 10.64.x.y. */
export function addressOf(n: number): string {
  return `10.64.${(n + 256) >>> 8}.${(n + 256) & 255}`;
}

export function hostOf(n: number): string {
  return `${addressOf(n).replaceAll(".", "-")}.${FORWARD}`;
}

function pointerOf(n: number): string {
  return `${addressOf(n).split(".").toReversed().join(".")}.in-addr.arpa`;
}

/** Both zones as RFC 1035 master files, by name. */
export function zoneFiles(): Readonly<Record<string, string>> {
  const hosts = Array.from({ length: HOSTS }, (_, n) => n);
  return {
    [FORWARD]: `${head(FORWARD)}ns1 A 127.0.0.1\n${hosts.map((n) => `${hostOf(n)}. A ${addressOf(n)}\n`).join("")}`,
    [REVERSE]: head(REVERSE) + hosts.map((n) => `${pointerOf(n)}. PTR ${hostOf(n)}.\n`).join(""),
  };
}

function head(zone: string): string {
  const soa = `ns1.${FORWARD}. hostmaster.${FORWARD}. 1 3600 600 604800 ${MINIMUM_SECONDS}`;
  return `$TTL ${TTL_SECONDS}\n$ORIGIN ${zone}.\n@ IN SOA ${soa}\n@ IN NS ns1.${FORWARD}.\n`;
}

export interface Question {
  readonly name: string;
  readonly type: "A" | "AAAA" | "PTR";
  readonly rcode: "NOERROR" | "NXDOMAIN";
}

/** Of ten questions six ask an address, two a pointer, one what the name does not have, one a name that is not there. */
const TENTHS: readonly ((n: number) => Question)[] = [
  ...Array.from({ length: 6 }, () => (n: number): Question => ({ name: hostOf(n), type: "A", rcode: "NOERROR" })),
  ...Array.from({ length: 2 }, () => (n: number): Question => ({ name: pointerOf(n), type: "PTR", rcode: "NOERROR" })),
  (n) => ({ name: hostOf(n), type: "AAAA", rcode: "NOERROR" }),
  (n) => ({ name: `no-${hostOf(n)}`, type: "A", rcode: "NXDOMAIN" }),
];

/** `count` questions in an order without pattern, the same at each call (a linear congruence with a full period). */
export function questions(count: number): Question[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return TENTHS[(state >>> 8) % TENTHS.length]!((state >>> 12) % HOSTS);
  });
}
