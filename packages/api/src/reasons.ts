import type { ReasonRow } from "@firstlight/service";

/**
 * Every reason that the api gives, by its code: the `because` of its events, log lines and metrics. Codes are stable; the texts
 * are for people and may change. `answers` is what the peer gets.
 */
export const REASONS = {
  // A field of the request
  "field-missing": { sentence: "{field}: is missing", remedy: "Give the field.", answers: "INVALID_ARGUMENT" },
  "field-empty": { sentence: "{field}: must not be empty", remedy: "Give the field.", answers: "INVALID_ARGUMENT" },
  "field-malformed": { sentence: "{field}: {fault}", remedy: "Correct the field.", answers: "INVALID_ARGUMENT" },
  "field-too-long": { sentence: "{field}: longer than {most}", remedy: "Shorten it.", answers: "INVALID_ARGUMENT" },
  "field-too-large": {
    sentence: "{field}: at most {most}",
    remedy: "Ask for less at once.",
    answers: "INVALID_ARGUMENT",
  },
  "field-too-many": {
    sentence: "{field}: more than {most}",
    remedy: "Send it in several calls.",
    answers: "INVALID_ARGUMENT",
  },
  "field-holds-nul": { sentence: "{field}: holds a NUL", remedy: "Remove the NUL.", answers: "INVALID_ARGUMENT" },
  "field-not-one-of": {
    sentence: "{field}: want one of {words}",
    remedy: "Correct the field.",
    answers: "INVALID_ARGUMENT",
  },
  "value-of-another-version": {
    sentence: "{field}: is not one of this version",
    remedy: "Update the API before its clients.",
    answers: "INVALID_ARGUMENT",
  },
  "mac-malformed": {
    sentence: "{field}: want a MAC address, for example 02:00:00:00:00:01",
    remedy: "Correct the field.",
    answers: "INVALID_ARGUMENT",
  },
  "address-malformed": {
    sentence: "{field}: want an IP address",
    remedy: "Correct the field.",
    answers: "INVALID_ARGUMENT",
  },
  "trace-malformed": {
    sentence: "{field}: want 32 lower-case hex digits",
    remedy: "Correct the field.",
    answers: "INVALID_ARGUMENT",
  },
  "host-name-malformed": {
    sentence: "{field}: want a fully qualified host name",
    remedy: "Correct the field.",
    answers: "INVALID_ARGUMENT",
  },
  "name-outside-domain": {
    sentence: "{field}: is not in {domain}",
    remedy: "Give a name below the domain, or another domain.",
    answers: "INVALID_ARGUMENT",
  },
  "page-token-foreign": {
    sentence: "{field}: is none of ours",
    remedy: "Begin the list anew, without a token.",
    answers: "INVALID_ARGUMENT",
  },
  "event-kind-unknown": {
    sentence: "{field}: {kind} is no kind of event",
    remedy: "Update the API before the daemons.",
    answers: "INVALID_ARGUMENT",
  },
  "event-time-impossible": {
    sentence: "{field}: is not a time of this century",
    remedy: "Set the clock of the machine that reports.",
    answers: "INVALID_ARGUMENT",
  },
  "position-too-large": {
    sentence: "{field}: is too large",
    remedy: "A fault of dhcpd: see its log.",
    answers: "INVALID_ARGUMENT",
  },
  // What is asked for does not exist
  "machine-not-found": {
    sentence: "no machine {machine}",
    remedy: "See firstlight machines list.",
    answers: "NOT_FOUND",
  },
  "mac-not-found": {
    sentence: "no machine with MAC {mac}",
    remedy: "It has not been seen, or the limit of unknown machines is reached: see api.maxMachines.",
    answers: "NOT_FOUND",
  },
  "segment-not-found": {
    sentence: "no segment {segment}",
    remedy: "See firstlight segments list.",
    answers: "NOT_FOUND",
  },
  "domain-not-found": {
    sentence: "no domain {domain}",
    remedy: "See firstlight names list; domains are declared in the site's file.",
    answers: "NOT_FOUND",
  },
  "domain-above-not-found": {
    sentence: "no domain above {name}",
    remedy: "Declare a domain that holds the name.",
    answers: "NOT_FOUND",
  },
  "service-not-found": {
    sentence: "no service {service}",
    remedy: "Ask by reflection for what there is.",
    answers: "NOT_FOUND",
  },
  // The caller
  "certificate-of-another-site": {
    sentence: "the certificate names nobody of site {site}",
    remedy: "Use a certificate that firstlight ca issue made for this site.",
    answers: "UNAUTHENTICATED",
  },
  "method-not-allowed": {
    sentence: "{subject} may not call {method}",
    remedy: "Call it with a certificate that may: see the manual's page of the api.",
    answers: "PERMISSION_DENIED",
  },
  "event-not-allowed": {
    sentence: "{subject} may not tell of {kind}",
    remedy: "Only the daemon that sees such events reports them.",
    answers: "PERMISSION_DENIED",
  },
  "feed-events-not-allowed": {
    sentence: "only daemon/dhcpd reports the feed's lease events",
    remedy: "Only dhcpd reports a position of the feed.",
    answers: "PERMISSION_DENIED",
  },
  // The state of the site
  "not-leased": {
    sentence: "{address} is not leased to {mac}",
    remedy:
      "The replicas of the api and of pxe-http differ for a moment: it asks again. A proxy or NAT hides the machine's address.",
    answers: "FAILED_PRECONDITION",
  },
  "cannot-be-assigned": {
    sentence: "{machine} is {state} and cannot be assigned",
    remedy: "Only a ready machine can be assigned.",
    answers: "FAILED_PRECONDITION",
  },
  "cannot-be-released": {
    sentence: "{machine} is {state} and cannot be released",
    remedy: "Only an assigned machine can be released.",
    answers: "FAILED_PRECONDITION",
  },
  // Load and faults
  "watchers-limit": {
    sentence: "{most} watchers already",
    remedy: "End a watch, or raise api.maxWatchers.",
    answers: "RESOURCE_EXHAUSTED",
  },
  "imports-limit": {
    sentence: "{most} imports are under way: try again",
    remedy: "Try again once one of them has ended.",
    answers: "RESOURCE_EXHAUSTED",
  },
  "import-too-long": {
    sentence: "text: more than {most} characters: import it in parts",
    remedy: "Import it in parts.",
    answers: "RESOURCE_EXHAUSTED",
  },
  stopping: {
    sentence: "the API is stopping",
    remedy: "Try again: another API, or the same one once it runs again.",
    answers: "UNAVAILABLE",
  },
  "database-away": { sentence: "the database is away", remedy: "Bring the database back.", answers: "UNAVAILABLE" },
  "declaration-incomplete": {
    sentence: "left out of what the site's file declares: {faults}",
    remedy: "Correct the entries that the sentence names, and start the API again.",
    answers: "/ready 200",
  },
  "declaration-refused": {
    sentence: "the site's file is not applied: {fault}",
    remedy:
      "Correct the site's file as the sentence says, and start the API again. Until then the database stays unchanged.",
    answers: "/ready 200",
  },
  "api-fault": {
    sentence: "a fault of the API: see its log",
    remedy: "See the API's log at this time and report the fault.",
    answers: "INTERNAL",
  },
  // A machine moves on: machine.state
  "script-fetched": { sentence: "fetched its discovery script", remedy: "None needed.", answers: "none" },
  "parts-arrived": { sentence: "all its parts phoned home", remedy: "None needed.", answers: "none" },
  "phoned-home": { sentence: "phoned home", remedy: "None needed.", answers: "none" },
  "arrived-before-script": {
    sentence: "{part} phoned home before its script was heard of",
    remedy: "None needed.",
    answers: "none",
  },
  "given-to-tenant": { sentence: "given to {tenant}", remedy: "None needed.", answers: "none" },
  "released-by-tenant": { sentence: "released by {tenant}", remedy: "None needed.", answers: "none" },
  // An event that does not move a machine on: pxe.phone-home
  "past-discovery": {
    sentence: "it is {state} already",
    remedy: "None needed: a late or repeated script.",
    answers: "none",
  },
  "script-of-another-action": { sentence: "the script was for {action}", remedy: "None needed.", answers: "none" },
  "script-of-another-task": { sentence: "the script is of another task", remedy: "Boot it again.", answers: "none" },
  "nothing-awaited": {
    sentence: "nothing is awaited of it while {state}",
    remedy: "None needed: a late or repeated call.",
    answers: "none",
  },
  "token-of-another-task": {
    sentence: "the token is not of its current task",
    remedy: "A system of an older boot called: boot it again.",
    answers: "none",
  },
  "part-not-awaited": { sentence: "{part} is not awaited", remedy: "None needed.", answers: "none" },
  "part-arrived-before": { sentence: "{part} has phoned home before", remedy: "None needed.", answers: "none" },
  "parts-missing": {
    sentence: "{missing} still missing",
    remedy: "The other parts must phone home too: the host, or each DPU.",
    answers: "none",
  },
  // What a machine boots: Decide
  "not-seen-in-order": { sentence: "it has not been seen in order yet", remedy: "None needed.", answers: "discover" },
  "discovery-under-way": { sentence: "discovery is not done yet", remedy: "None needed.", answers: "discover" },
  "in-order": { sentence: "it is in order", remedy: "None needed.", answers: "local-disk" },
  "belongs-to-tenant": { sentence: "it belongs to a tenant", remedy: "None needed.", answers: "tenant" },
  "host-belongs-to-tenant": { sentence: "its host belongs to a tenant", remedy: "None needed.", answers: "local-disk" },
  released: { sentence: "its tenant released it", remedy: "None needed.", answers: "cleanup" },
  "host-being-cleaned": { sentence: "its host is being cleaned", remedy: "None needed.", answers: "local-disk" },
  "role-boots-nothing": {
    sentence: "a {role} boots nothing from the network",
    remedy: "Set its role in expectedMachines to host or dpu_oob, if it is one.",
    answers: "wait",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
