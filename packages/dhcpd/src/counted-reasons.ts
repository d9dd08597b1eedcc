import type { ReasonRow } from "@firstlight/service";

/** Why a packet is not answered and only counted: there may be millions of them, so no event reports them. */
export const COUNTED_REASONS = {
  draining: { sentence: "the daemon is stopping", remedy: "None needed.", answers: "silence" },
  "relay-not-trusted": {
    sentence: "relay is not trusted",
    remedy: "Add the relay's source address to dhcpd.relays.",
    answers: "silence",
  },
  "unknown-machines-limit": {
    sentence: "too many unknown machines behind this relay",
    remedy: "Look for a loop or an attack behind the relay: see dhcpd.perRelayUnknown.",
    answers: "silence",
  },
  "client-limit": {
    sentence: "too many packets from this machine",
    remedy: "Firmware in a loop: see dhcpd.perClient.",
    answers: "silence",
  },
  "repeated-while-pending": {
    sentence: "asked again while its lease is being written",
    remedy: "None needed.",
    answers: "silence",
  },
  "pending-leases-first": {
    sentence: "no offer while the leases that wait would take too long",
    remedy: "Many machines boot at once, or the database is slow: they ask again.",
    answers: "silence",
  },
  "release-taken": { sentence: "release needs no answer", remedy: "None needed.", answers: "silence" },
  "decline-taken": {
    sentence: "decline needs no answer",
    remedy: "Find who else uses the address.",
    answers: "silence",
  },
  "not-a-request": {
    sentence: "a reply, not a request",
    remedy: "Replies of another server arrive here: look for a loop.",
    answers: "silence",
  },
  "bootp-not-dhcp": { sentence: "BOOTP, not DHCP", remedy: "Something other than a DHCP client.", answers: "silence" },
  "hardware-not-ethernet": {
    sentence: "hardware address is not Ethernet's",
    remedy: "Something other than an Ethernet client.",
    answers: "silence",
  },
  "hardware-address-not-unicast": {
    sentence: "hardware address is not a unicast one",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "source-not-ipv4": {
    sentence: "DHCPv4 does not come from an IPv6 address",
    remedy: "Listen on an IPv4 address.",
    answers: "silence",
  },
  "option-50-malformed": {
    sentence: "option 50 (requested address) has another shape",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "option-53-malformed": {
    sentence: "option 53 (message type) has another shape",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "option-54-malformed": {
    sentence: "option 54 (server identifier) has another shape",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "option-82-malformed": {
    sentence: "option 82 (relay agent) has another shape",
    remedy: "The relay is wrong.",
    answers: "silence",
  },
  "packet-too-short": { sentence: "shorter than a DHCP header", remedy: "Not DHCP.", answers: "silence" },
  "op-unknown": { sentence: "op is neither request nor reply", remedy: "Not DHCP.", answers: "silence" },
  "hardware-address-too-long": {
    sentence: "hardware address longer than its field",
    remedy: "Not DHCP.",
    answers: "silence",
  },
  "no-dhcp-cookie": {
    sentence: "no DHCP magic cookie",
    remedy: "Not DHCP, or BOOTP without options.",
    answers: "silence",
  },
  "overload-not-one-byte": {
    sentence: "option overload is not one byte",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "option-past-field": {
    sentence: "option runs past its field",
    remedy: "The client is wrong, or the packet was cut.",
    answers: "silence",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;
