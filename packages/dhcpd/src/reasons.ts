import type { ReasonRow } from "@firstlight/service";
import { COUNTED_REASONS } from "./counted-reasons.ts";

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
  "address-bound-elsewhere": {
    sentence: "address is bound to another interface",
    remedy: "Normal after a change: the client begins anew and gets another address.",
    answers: "NAK",
  },
  "interface-holds-another-address": {
    sentence: "interface holds another address",
    remedy: "Normal after a change: the client begins anew and gets the address on record.",
    answers: "NAK",
  },
  "address-resting": {
    sentence: "address rests until its grace has passed",
    remedy:
      "It was released or declined lately: see graceSeconds of the segment. After a decline, find who else uses it.",
    answers: "NAK",
  },
  "address-not-assignable": {
    sentence: "address is not assignable in this segment",
    remedy: "It is reserved, excluded or the gateway's: the client gets another one.",
    answers: "NAK",
  },
  "address-reserved": {
    sentence: "address is reserved for another",
    remedy: "It is declared for another device: the client gets another one.",
    answers: "NAK",
  },
  "address-not-in-pool": {
    sentence: "address is not in a pool of its role",
    remedy: "Ranges are kept for roles: the client gets another address at its next DISCOVER.",
    answers: "NAK",
  },
  "prefix-draining": {
    sentence: "prefix is draining",
    remedy: "The client gets an address of another prefix at its next DISCOVER.",
    answers: "NAK",
  },
  // Silence, reported and counted
  "no-segment": {
    sentence: "no segment holds the address of its link",
    remedy:
      "Declare a prefix that holds the relay's address (giaddr or link selection); without a relay, set segmentAddress of dhcpd.listen.",
    answers: "silence",
  },
  "no-prefix-of-family": {
    sentence: "no prefix of this family",
    remedy: "Give the segment an IPv4 prefix.",
    answers: "silence",
  },
  "no-ipv4-candidate": {
    sentence: "segment has no IPv4 address to give",
    remedy: "Give the segment an IPv4 prefix.",
    answers: "silence",
  },
  "segment-full": {
    sentence: "segment is full",
    remedy: "Add a prefix, or shorten leaseSeconds and graceSeconds.",
    answers: "silence",
  },
  "pool-full": {
    sentence: "the pools of its role are full",
    remedy: "Widen one of the pools that the event names.",
    answers: "silence",
  },
  "segment-draining": {
    sentence: "segment is draining",
    remedy: "Undrain it with firstlight segments undrain, or move the machine.",
    answers: "silence",
  },
  "device-not-expected": {
    sentence: "device is not expected here",
    remedy: "Name its MAC in expectedMachines; where the segment has allocation: reserved, declare its address too.",
    answers: "silence",
  },
  "device-on-another-segment": {
    sentence: "device holds an address on another segment",
    remedy:
      "Its other segment has rehome: refuse. It gets an address here once its lease there is over; firstlight history of MAC shows where.",
    answers: "silence",
  },
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
  "no-such-lease": {
    sentence: "no such lease",
    remedy: "It was deleted meanwhile: the client begins anew.",
    answers: "silence",
  },
  "no-such-segment": {
    sentence: "no such segment",
    remedy: "It was deleted meanwhile: the client begins anew.",
    answers: "silence",
  },
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
