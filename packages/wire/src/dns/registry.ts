import { registry } from "../registry.ts";

/** RR types and query types: IANA "DNS Parameters", those that are met at a site. The rest reads as `TYPE65400`. */
export const TYPES = registry("TYPE", {
  A: 1, // RFC 1035
  NS: 2, // RFC 1035
  CNAME: 5, // RFC 1035
  SOA: 6, // RFC 1035
  PTR: 12, // RFC 1035
  HINFO: 13, // RFC 1035
  MX: 15, // RFC 1035
  TXT: 16, // RFC 1035
  AAAA: 28, // RFC 3596
  SRV: 33, // RFC 2782
  NAPTR: 35, // RFC 3403
  DNAME: 39, // RFC 6672
  OPT: 41, // RFC 6891
  DS: 43, // RFC 4034
  SSHFP: 44, // RFC 4255
  RRSIG: 46, // RFC 4034
  NSEC: 47, // RFC 4034
  DNSKEY: 48, // RFC 4034
  NSEC3: 50, // RFC 5155
  TLSA: 52, // RFC 6698
  SVCB: 64, // RFC 9460
  HTTPS: 65, // RFC 9460
  TKEY: 249, // RFC 2930
  TSIG: 250, // RFC 8945
  IXFR: 251, // RFC 1995
  AXFR: 252, // RFC 5936
  ANY: 255, // RFC 8482
  CAA: 257, // RFC 8659
});

export const CLASSES = registry("CLASS", {
  IN: 1, // RFC 1035 §3.2.4
  CH: 3, // RFC 1035 §3.2.4
  HS: 4, // RFC 1035 §3.2.4
  NONE: 254, // RFC 2136
  ANY: 255, // RFC 1035 §3.2.5
});

/** Response codes. Those above 15 need EDNS to be spoken (RFC 6891 §6.1.3). */
export const RCODES = registry("RCODE", {
  NOERROR: 0, // RFC 1035 §4.1.1
  FORMERR: 1, // RFC 1035 §4.1.1
  SERVFAIL: 2, // RFC 1035 §4.1.1
  NXDOMAIN: 3, // RFC 1035 §4.1.1
  NOTIMP: 4, // RFC 1035 §4.1.1
  REFUSED: 5, // RFC 1035 §4.1.1
  NOTAUTH: 9, // RFC 2136
  BADVERS: 16, // RFC 6891 §9
});

export const OPCODES = registry("OPCODE", {
  QUERY: 0, // RFC 1035 §4.1.1
  IQUERY: 1, // RFC 3425: obsolete
  STATUS: 2, // RFC 1035 §4.1.1
  NOTIFY: 4, // RFC 1996
  UPDATE: 5, // RFC 2136
});
