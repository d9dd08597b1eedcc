import type { ReasonRow } from "@firstlight/service";

/** Why a request is refused, by code; `answers` is the HTTP status. A request for the boot script gets a script that waits instead. */
const REFUSALS = {
  // Who asks
  "no-lease": {
    sentence: "no lease at this address",
    remedy: "Check that the lease exists, that no NAT or proxy is in between, and pxeHttp.vrf.",
    answers: "403",
  },
  "address-given-back": {
    sentence: "the address was given back",
    remedy: "The machine released its address and still uses it: let it ask for one again.",
    answers: "403",
  },
  "lease-over": { sentence: "the lease is over", remedy: "The machine should renew its lease.", answers: "403" },
  "lease-without-mac": {
    sentence: "the lease is not a MAC's",
    remedy: "The client showed no MAC to DHCP: boot it from firmware that does.",
    answers: "403",
  },
  "requests-per-client-limit": {
    sentence: "too many requests of this address",
    remedy: "Raise pxeHttp.perClient.",
    answers: "429",
  },
  "connections-per-client-limit": {
    sentence: "too many connections of this address",
    remedy: "Raise pxeHttp.maxConnections or pxeHttp.maxConnectionsPerClient.",
    answers: "429",
  },
  // What is asked for
  "no-such-resource": {
    sentence: "no such resource",
    remedy: "Use one of the routes of pxe-http's page.",
    answers: "404",
  },
  "no-such-artefact": { sentence: "no such artefact", remedy: "Put the file at this path.", answers: "404" },
  "artefact-name-invalid": {
    sentence: "the name cannot be that of an artefact",
    remedy: "See the rules for paths on pxe-http's page.",
    answers: "404",
  },
  "artefact-leaves-folder": {
    sentence: "the artefact leaves its folder",
    remedy: "A symbolic link points outside the folder: copy the file.",
    answers: "404",
  },
  "token-missing": { sentence: "the token is missing", remedy: "Correct what the image posts.", answers: "400" },
  "token-malformed": { sentence: "the token is malformed", remedy: "Correct what the image posts.", answers: "400" },
  "body-malformed": {
    sentence: "the body is not a form or an object",
    remedy: "Correct what the image posts.",
    answers: "400",
  },
  "request-malformed": { sentence: "the request is malformed", remedy: "Correct the client.", answers: "400" },
  "not-http": { sentence: "the bytes are not HTTP", remedy: "Correct the client.", answers: "400" },
  // What the API says
  "machine-unknown": {
    sentence: "the API knows no such machine",
    remedy: "The limit is reached: raise api.maxUnexpected.",
    answers: "403",
  },
  "api-refused": { sentence: "the API refuses", remedy: "See the API's message in the detail.", answers: "403" },
  "api-away": {
    sentence: "the API is away",
    remedy: "Check /ready of the api, apiEndpoint and the certificates; machines wait meanwhile.",
    answers: "503",
  },
  "server-fault": { sentence: "the server has a fault", remedy: "See the log.", answers: "500" },
} as const satisfies Readonly<Record<string, ReasonRow>>;

/** Why a decision becomes a script that waits, or is used again; and how an answer ends early. */
const OUTCOMES = {
  "tenant-script-empty": {
    sentence: "its tenant has given no script",
    remedy: "Release the machine and assign it again with a script.",
    answers: "wait",
  },
  "tenant-script-too-long": {
    sentence: "its tenant's script is longer than 64 KiB",
    remedy: "Release the machine and assign it again with a shorter script.",
    answers: "wait",
  },
  "token-unusable": {
    sentence: "the API's token cannot stand in a script",
    remedy: "Update the API: its tokens are words without spaces.",
    answers: "wait",
  },
  "decided-before": {
    sentence: "as decided before, now that the API is away: {decision}",
    remedy: "None needed: the machine boots its disk while the api is away.",
    answers: "local-disk",
  },
  "machine-left": {
    sentence: "the machine closed the connection before the end",
    remedy: "None needed if it fetches the rest; else see its console.",
    answers: "none",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

/** Every reason that pxe-http gives, by its code: the `because` of its events, answers and metrics. */
export const REASONS = { ...REFUSALS, ...OUTCOMES } as const;

export type RefusalCode = keyof typeof REFUSALS;
type OutcomeCode = keyof typeof OUTCOMES;

/** An expected refusal. `detail` is a fact of the case: the path, the address, the API's message. */
export interface Refused {
  readonly is: "refused";
  readonly because: RefusalCode;
  readonly detail?: string;
}

export function refused(because: RefusalCode, detail?: string): Refused {
  return { is: "refused", because, ...(detail !== undefined && { detail }) };
}

/** The HTTP status of a refusal. */
export function statusOf({ because }: Refused): number {
  return Number(REFUSALS[because].answers);
}

/** A reason with its text for a console. */
export interface Why {
  /** A code of this table, or of the API's where the API has decided. */
  readonly because: string;
  readonly sentence: string;
}

export function whyOf({ because, detail }: Refused): Why {
  const { sentence } = REFUSALS[because];
  return { because, sentence: detail === undefined ? sentence : `${sentence}: ${detail}` };
}

export function outcome(because: OutcomeCode): Why {
  return { because, sentence: OUTCOMES[because].sentence };
}
