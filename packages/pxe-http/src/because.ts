/** Every no that this server says, and its status. A machine that fetches its script gets one that waits, whatever the no. */
export const REFUSALS = {
  "no lease at this address": 403,
  "the address was given back": 403,
  "the lease is over": 403,
  "the lease is no MAC's": 403,
  "too many requests": 429,
  "too many connections": 429,
  "no such resource": 404,
  "no such artefact": 404,
  "the name is not one of an artefact": 404,
  "the artefact leaves its folder": 404,
  "the API knows no such machine": 403,
  "the API refuses": 403,
  "the API is away": 503,
  "the token is missing": 400,
  "the token is malformed": 400,
  "the body is not a form or an object": 400,
  "the request is malformed": 400,
  "not HTTP": 400,
  "the server has a fault": 500,
} as const satisfies Record<string, number>;

/** Fixed words: they are a metric's label and a timeline's reason. */
export type Refusal = keyof typeof REFUSALS;

/** An expected no. `detail` says more than the fixed words, and is for the machine's timeline and its log. */
export interface Refused {
  readonly is: "refused";
  readonly because: Refusal;
  readonly detail?: string;
}

export function refused(because: Refusal, detail?: string): Refused {
  return { is: "refused", because, ...(detail !== undefined && { detail }) };
}

export function sentence({ because, detail }: Refused): string {
  return detail === undefined ? because : `${because}: ${detail}`;
}
