import { type Clause, type Directive, write } from "./clause.ts";
import type { UnboundConfig } from "./config.ts";
import { type SiteView, zoneNames } from "./view.ts";

/** The settings a rendering depends on, every path absolute. */
export interface Settings extends Pick<
  UnboundConfig,
  | "interfaces"
  | "port"
  | "threads"
  | "dnsd"
  | "forwarders"
  | "allow"
  | "privateDomains"
  | "trustAnchorFile"
  | "tlsCertBundle"
  | "user"
> {
  readonly controlSocket: string;
}

/** The text of unbound.conf(5) for this site, a function of view and settings. */
export function render(view: SiteView, settings: Settings): string {
  const clauses: Clause[] = [server(view, settings), remoteControl(settings), ...stubs(view, settings)];
  if (settings.forwarders.length > 0) clauses.push(forward(settings));
  return `${HEAD}\n${write(clauses)}`;
}

const HEAD = "# Written by unbound-config from the site's IPAM: an edit here is lost at the next change.\n";

/** What RFC 1918, RFC 3927, RFC 4193 and RFC 4291 keep for sites, and IPv4 in disguise. */
const PRIVATE = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fd00::/8",
  "fe80::/10",
  "::ffff:0:0/96",
];

/** Settings that are the same at every site. */
const ALWAYS: readonly Directive[] = [
  ["chroot", ""],
  ["directory", ""],
  ["pidfile", ""], // its supervisor knows it
  ["use-syslog", false],
  ["log-time-ascii", true],
  ["hide-identity", true],
  ["hide-version", true],
  ["extended-statistics", true],
  ["so-reuseport", true],
  ["ip-freebind", true], // a gateway's address may come after us
  ["edns-buffer-size", 1232], // never fragments
  ["max-udp-size", 1232],
  ["deny-any", true], // RFC 8482
  ["qname-minimisation", true], // RFC 9156
  ["aggressive-nsec", true], // RFC 8198
  ["harden-below-nxdomain", true], // RFC 8020
  ["do-not-query-localhost", false], // dnsd may be this machine's
  ["cache-min-ttl", 1], // a TTL of 0 and serve-expired: NXDOMAIN for ever (NLnetLabs/unbound#860)
  ["cache-max-negative-ttl", 10], // a machine's name appears while it boots
  ["prefetch", true],
  ["prefetch-key", true],
  ["serve-expired", true], // RFC 8767: dnsd away, names stay
  ["serve-expired-ttl", 86_400],
  ["serve-expired-client-timeout", 1800],
  ["serve-expired-reply-ttl", 30],
  ["infra-host-ttl", 60], // dnsd comes back sooner than the Internet's servers
  ["infra-keep-probing", true],
];

function server(view: SiteView, settings: Settings): Clause {
  const { interfaces, port, threads, user, trustAnchorFile, tlsCertBundle, forwarders } = settings;
  const zones = zoneNames(view);
  const isValidating = trustAnchorFile !== undefined;
  return {
    is: "server",
    directives: [
      ["username", user ?? ""],
      ...interfaces.map((address): Directive => ["interface", address]),
      ["port", port],
      ["num-threads", threads],
      ...ALWAYS,
      ["module-config", isValidating ? "validator iterator" : "iterator"],
      ...(isValidating ? [["trust-anchor-file", trustAnchorFile] as const] : []),
      ...(forwarders.some(isTls) ? [["tls-cert-bundle", tlsCertBundle] as const] : []),
      // Everybody else is refused by default. No catch-all says so: it would override what interfaces say.
      ...distinct(view.networks, settings.allow).map((network): Directive => ["access-control", network, "allow"]),
      // DNS rebinding: only who is named may answer with these.
      ...distinct(PRIVATE, view.networks).map((network): Directive => ["private-address", network]),
      ...distinct(view.forward, settings.privateDomains).map((name): Directive => ["private-domain", name]),
      // Unsigned, and reached also when the Internet, and with it the root's keys, is not.
      ...zones.map((zone): Directive => ["domain-insecure", zone]),
      // unbound answers 10.in-addr.arpa, 127.in-addr.arpa, test … itself (RFC 6303). `nodefault` opens such a zone whole or
      // not at all; `transparent` opens ours and leaves the rest of it closed, so that nothing leaks to the Internet.
      ...zones.map((zone): Directive => ["local-zone", `${zone}.`, "transparent"]),
    ],
  };
}

/** A socket of this machine alone: its file's permissions are the authority, so no keys. */
function remoteControl({ controlSocket }: Settings): Clause {
  return {
    is: "remote-control",
    directives: [
      ["control-enable", true],
      ["control-interface", controlSocket],
      ["control-use-cert", false],
    ],
  };
}

/** A stub asks an authority (RD=0) and takes no zone's word for other servers; a forward-zone would ask dnsd to recurse. */
function stubs(view: SiteView, { dnsd }: Settings): Clause[] {
  return zoneNames(view).map((zone) => ({
    is: "stub-zone",
    directives: [
      ["name", zone],
      ...dnsd.map((at): Directive => ["stub-addr", atPort(at)]),
      ["stub-prime", false],
      ["stub-first", false],
    ],
  }));
}

function forward({ forwarders }: Settings): Clause {
  return {
    is: "forward-zone",
    directives: [
      ["name", "."],
      ...forwarders.map(({ address, tlsName }): Directive => [
        "forward-addr",
        tlsName === undefined ? atPort(address) : `${atPort(address)}#${tlsName}`,
      ]),
      ["forward-tls-upstream", forwarders.some(isTls)],
    ],
  };
}

const isTls = ({ tlsName }: Settings["forwarders"][number]): boolean => tlsName !== undefined;

/** `127.0.0.1:7053` and `[::1]:7053` as unbound writes them. */
function atPort(endpoint: string): string {
  return endpoint.replace(/^\[?(.*?)\]?:(\d+)$/, "$1@$2");
}

function distinct(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}
