/**
 * The zones' content: hosts in `bench.test` that are named by their address, and their PTR records. It depends only on the host's
 * number, so that every round asks every contender the same.
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

/** Both zones as master files (RFC 1035 §5), by zone name. */
export function zoneFiles(): Readonly<Record<string, string>> {
  const hosts = Array.from({ length: HOSTS }, (_, n) => n);
  return {
    [FORWARD]: `${zoneHeader(FORWARD)}ns1 A 127.0.0.1\n${hosts.map((n) => `${hostOf(n)}. A ${addressOf(n)}\n`).join("")}`,
    [REVERSE]: zoneHeader(REVERSE) + hosts.map((n) => `${pointerOf(n)}. PTR ${hostOf(n)}.\n`).join(""),
  };
}

function zoneHeader(zone: string): string {
  const soa = `ns1.${FORWARD}. hostmaster.${FORWARD}. 1 3600 600 604800 ${MINIMUM_SECONDS}`;
  return `$TTL ${TTL_SECONDS}\n$ORIGIN ${zone}.\n@ IN SOA ${soa}\n@ IN NS ns1.${FORWARD}.\n`;
}

/** A question and the response code that a correct server gives. */
export interface Question {
  readonly name: string;
  readonly type: "A" | "AAAA" | "PTR";
  readonly rcode: "NOERROR" | "NXDOMAIN";
}

/** Of ten questions six ask for an address, two for a PTR record, one for a type that the name does not have, one for a name that does not exist. */
const QUESTION_MIX: readonly ((n: number) => Question)[] = [
  ...Array.from({ length: 6 }, () => (n: number): Question => ({ name: hostOf(n), type: "A", rcode: "NOERROR" })),
  ...Array.from({ length: 2 }, () => (n: number): Question => ({ name: pointerOf(n), type: "PTR", rcode: "NOERROR" })),
  (n) => ({ name: hostOf(n), type: "AAAA", rcode: "NOERROR" }),
  (n) => ({ name: `no-${hostOf(n)}`, type: "A", rcode: "NXDOMAIN" }),
];

/** `count` questions in a pseudo-random order, the same at each call (linear congruential generator of full period). */
export function questions(count: number): Question[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return QUESTION_MIX[(state >>> 8) % QUESTION_MIX.length]!((state >>> 12) % HOSTS);
  });
}
