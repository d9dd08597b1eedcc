import { ADDRESS_REASONS, NO_OFFER_REASONS } from "@firstlight/ipam";
import type { ReasonRow } from "@firstlight/service";
import { COUNTED_REASONS } from "./counted-reasons.ts";

const IPAM = { ...ADDRESS_REASONS, ...NO_OFFER_REASONS };

/** A reason of the IPAM upon which a REQUEST gets a NAK: the client begins anew. */
const nak = <Code extends keyof typeof IPAM>(code: Code) => ({ ...IPAM[code], answers: "NAK" }) as const;

/** A reason of the IPAM upon which a client that asked again would only hear the same. */
const silence = <Code extends keyof typeof IPAM>(code: Code) => ({ ...IPAM[code], answers: "silence" }) as const;

/**
 * Every reason that dhcpd gives, by its code: the `because` of its events, log lines and metrics. Codes are stable; the texts
 * are for people and may change. `answers` is what the peer gets.
 */
export const REASONS = {
  // NAK
  "address-off-segment": {
    sentence: "address is not on this segment",
    remedy: "Normal after a move: the client begins anew.",
    answers: "NAK",
  },
  "address-bound-elsewhere": nak("address-bound-elsewhere"),
  "interface-holds-another-address": nak("interface-holds-another-address"),
  "address-resting": nak("address-resting"),
  "address-not-assignable": nak("address-not-assignable"),
  "address-reserved": nak("address-reserved"),
  "address-not-in-pool": nak("address-not-in-pool"),
  "prefix-draining": nak("prefix-draining"),
  // Silence, reported and counted
  "no-segment": {
    sentence: "no segment holds the address of its link",
    remedy:
      "Declare a prefix that holds the relay's address (giaddr or link selection); without a relay, set segmentAddress of dhcpd.listen.",
    answers: "silence",
  },
  "no-prefix-of-family": silence("no-prefix-of-family"),
  "no-ipv4-candidate": {
    sentence: "segment has no IPv4 address to give",
    remedy: "Give the segment an IPv4 prefix.",
    answers: "silence",
  },
  "segment-full": silence("segment-full"),
  "pool-full": silence("pool-full"),
  "segment-draining": silence("segment-draining"),
  "device-not-expected": silence("device-not-expected"),
  "device-on-another-segment": silence("device-on-another-segment"),
  "request-names-another-server": {
    sentence: "request names another server",
    remedy:
      "The client took another server's offer. Replicas need the same dhcpd.serverId, or each other in dhcpd.serverIds.",
    answers: "silence",
  },
  "request-names-no-address": {
    sentence: "request names no address",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "client-unknown": {
    sentence: "no record of this client",
    remedy: "It renews what was never given here, as after a restore: it begins anew by itself.",
    answers: "silence",
  },
  "release-names-no-address": { sentence: "gives back no address", remedy: "The client is wrong.", answers: "silence" },
  "release-of-foreign-address": {
    sentence: "gives back an address it does not hold",
    remedy: "None needed.",
    answers: "silence",
  },
  "inform-without-address": {
    sentence: "INFORM without an address",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "inform-address-off-segment": {
    sentence: "INFORM for an address that is not on this segment",
    remedy: "Normal after a move.",
    answers: "silence",
  },
  "not-for-a-server": {
    sentence: "this message type is not for a server",
    remedy: "Replies of another server arrive here: look for a loop, or a relay too many.",
    answers: "silence",
  },
  "no-such-lease": silence("no-such-lease"),
  "no-such-segment": silence("no-such-segment"),
  "commit-queue-full": {
    sentence: "too many leases wait for the database",
    remedy: "The database is too slow: see firstlight_dhcp_commit_seconds and dhcpd.maxPending.",
    answers: "silence",
  },
  "client-gave-up": {
    sentence: "the client stopped asking before its lease was written",
    remedy: "It was silent for dhcpd.patienceSeconds: the database is slow, or the client is gone.",
    answers: "silence",
  },
  "released-meanwhile": {
    sentence: "the client gave the address back meanwhile",
    remedy: "None needed.",
    answers: "silence",
  },
  "lookup-limit": {
    sentence: "too many questions about unknown clients",
    remedy: "Many unknown clients or a slow database: see dhcpd.maxLookups.",
    answers: "silence",
  },
  "database-away-not-bound": {
    sentence: "database away and the address is not bound",
    remedy: "Bring the database back: without it only held addresses are renewed.",
    answers: "silence",
  },
  "database-away-bound-elsewhere": {
    sentence: "database away and the address is bound to another interface",
    remedy: "Bring the database back: without it only held addresses are renewed.",
    answers: "silence",
  },
  "database-away-grace-over": {
    sentence: "database away and the lease's grace is over",
    remedy: "Bring the database back: without it only held addresses are renewed.",
    answers: "silence",
  },
  "database-away-unconfirmed": {
    sentence: "the replica has no answer, and the database is away",
    remedy: "Bring the database back: a new machine waits for it.",
    answers: "silence",
  },
  "database-away-not-released": {
    sentence: "database away, nothing given back",
    remedy: "None needed: the lease ends by its time.",
    answers: "silence",
  },
  // What an OFFER names to load, or why nothing
  "ipxe-script": { sentence: "iPXE runs a script", remedy: "None needed.", answers: "OFFER" },
  "uefi-http-boot": { sentence: "UEFI HTTP boot", remedy: "None needed.", answers: "OFFER" },
  "pxe-boot": { sentence: "PXE boot", remedy: "None needed.", answers: "OFFER" },
  "boots-nothing": {
    sentence: "segment boots nothing",
    remedy: "Set boots on the segment where its machines are to load something.",
    answers: "OFFER",
  },
  "system-running": { sentence: "a running system loads nothing", remedy: "None needed.", answers: "OFFER" },
  "no-boot-under-way": { sentence: "no boot is under way", remedy: "None needed.", answers: "OFFER" },
  "no-architecture": {
    sentence: "firmware names no architecture",
    remedy: "The firmware sends no option 93: it cannot be given a file.",
    answers: "OFFER",
  },
  "no-boot-file": {
    sentence: "no boot file for this architecture",
    remedy: "Name a file for the architecture in dhcpd.files.",
    answers: "OFFER",
  },
  // ACK without the database
  "database-away-within-grace": {
    sentence: "database away, within the lease's grace",
    remedy: "Bring the database back before the grace ends.",
    answers: "ACK",
  },
  // Devices that arrive: no answer of their own
  "device-predicted": { sentence: "it was predicted", remedy: "None needed.", answers: "none" },
  "device-moved": {
    sentence: "it has an address on another segment now",
    remedy: "None needed; rehome of the segment decides.",
    answers: "none",
  },
  "device-alternates": {
    sentence: "it alternates between two segments and keeps an address in both",
    remedy: "Find why it alternates, if it is not meant to.",
    answers: "none",
  },
  // Log
  "portable-engine": {
    sentence: "the batched UDP engine does not work here, the portable one is used",
    remedy: "See the fault beside it; the portable engine is slower.",
    answers: "none",
  },
  ...COUNTED_REASONS,
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
