import { Malformed } from "../malformed.ts";
import { type Options, SHAPES, type ShapeName, type ValueOf } from "./shapes.ts";

export type { Options, Route } from "./shapes.ts";

/** Every option we speak: its name, its code, the shape of its value. */
export const OPTIONS = {
  subnetMask: [1, "ipv4"], // RFC 2132 §3.3
  routers: [3, "ipv4s"], // RFC 2132 §3.5
  timeServers: [4, "ipv4s"], // RFC 2132 §3.6
  domainNameServers: [6, "ipv4s"], // RFC 2132 §3.8
  logServers: [7, "ipv4s"], // RFC 2132 §3.9
  hostName: [12, "text"], // RFC 2132 §3.14
  domainName: [15, "text"], // RFC 2132 §3.17
  interfaceMtu: [26, "u16"], // RFC 2132 §5.1
  broadcastAddress: [28, "ipv4"], // RFC 2132 §5.3
  ntpServers: [42, "ipv4s"], // RFC 2132 §8.3
  vendor: [43, "encapsulated"], // RFC 2132 §8.4, read with PXE_VENDOR
  requestedAddress: [50, "ipv4"], // RFC 2132 §9.1
  leaseTime: [51, "seconds"], // RFC 2132 §9.2
  messageType: [53, "messageType"], // RFC 2132 §9.6
  serverId: [54, "ipv4"], // RFC 2132 §9.7
  parameterRequestList: [55, "u8s"], // RFC 2132 §9.8
  message: [56, "text"], // RFC 2132 §9.9
  maxMessageSize: [57, "u16"], // RFC 2132 §9.10
  renewalTime: [58, "seconds"], // RFC 2132 §9.11
  rebindingTime: [59, "seconds"], // RFC 2132 §9.12
  vendorClass: [60, "text"], // RFC 2132 §9.13
  clientId: [61, "bytes"], // RFC 2132 §9.14, echoed by RFC 6842
  tftpServerName: [66, "text"], // RFC 2132 §9.4
  bootFile: [67, "textNul"], // RFC 2132 §9.5
  userClass: [77, "bytes"], // RFC 3004, which iPXE does not follow
  rapidCommit: [80, "empty"], // RFC 4039
  clientFqdn: [81, "bytes"], // RFC 4702
  relayAgent: [82, "suboptions"], // RFC 3046, read with RELAY_AGENT
  clientArch: [93, "u16s"], // RFC 4578 §2.1
  clientNetworkInterface: [94, "bytes"], // RFC 4578 §2.2
  clientUuid: [97, "bytes"], // RFC 4578 §2.3: a zero, then sixteen bytes
  subnetSelection: [118, "ipv4"], // RFC 3011
  domainSearch: [119, "domains"], // RFC 3397
  classlessRoutes: [121, "routes"], // RFC 3442
  ipxe: [175, "encapsulated"], // iPXE's own space
} as const satisfies Table;

/** Sub-options of option 82. */
export const RELAY_AGENT = {
  circuitId: [1, "bytes"], // RFC 3046 §3.1
  remoteId: [2, "bytes"], // RFC 3046 §3.2
  linkSelection: [5, "ipv4"], // RFC 3527
  subscriberId: [6, "text"], // RFC 3993
  relayFlags: [10, "u8"], // RFC 5010
  serverIdOverride: [11, "ipv4"], // RFC 5107
  relaySourcePort: [19, "empty"], // RFC 8357 §5.1: the port itself is the one the packet came from
  virtualSubnet: [151, "bytes"], // RFC 6607
} as const satisfies Table;

/** Sub-options of option 43 under vendor class `PXEClient`: PXE 2.1 §2.2.3. */
export const PXE_VENDOR = {
  discoveryControl: [6, "u8"], // 8: boot the file named here, ask no boot server
  bootServers: [8, "bytes"],
  bootMenu: [9, "bytes"],
  menuPrompt: [10, "bytes"],
} as const satisfies Table;

/** Name → code and shape. */
export type Table = Readonly<Record<string, readonly [code: number, shape: ShapeName]>>;
/** The type of a named option's value. */
export type OptionValue<T extends Table, Name extends keyof T> = ValueOf<T[Name][1]>;
/** Values by name, as the builders take them; `undefined` leaves an option out. */
export type Values<T extends Table> = { readonly [Name in keyof T]?: OptionValue<T, Name> | undefined };

/** An option's value: `undefined` when absent, Malformed when its bytes have another shape. */
export function get<Name extends keyof typeof OPTIONS>(options: Options, name: Name) {
  return read(OPTIONS, options, name);
}

/** Sub-option of option 82, of what `get(options, "relayAgent")` gave. */
export function getRelay<Name extends keyof typeof RELAY_AGENT>(options: Options, name: Name) {
  return read(RELAY_AGENT, options, name);
}

/** Sub-option of PXE's option 43, of what `get(options, "vendor")` gave. */
export function getPxe<Name extends keyof typeof PXE_VENDOR>(options: Options, name: Name) {
  return read(PXE_VENDOR, options, name);
}

/** Options in the order written: `options({ messageType: "OFFER", leaseTime: 3600 })`. */
export function options(values: Values<typeof OPTIONS>): Options {
  return build(OPTIONS, values);
}

/** The value of option 82: `options({ relayAgent: relayAgent({ circuitId }) })`. */
export function relayAgent(values: Values<typeof RELAY_AGENT>): Options {
  return build(RELAY_AGENT, values);
}

/** The value of option 43 for a PXE client. */
export function pxeVendor(values: Values<typeof PXE_VENDOR>): Options {
  return build(PXE_VENDOR, values);
}

function read<T extends Table, Name extends keyof T>(
  table: T,
  options: Options,
  name: Name,
): OptionValue<T, Name> | Malformed | undefined {
  const [code, shape] = table[name]!;
  const bytes = options.get(code);
  return bytes === undefined ? undefined : (SHAPES[shape].read(bytes) as OptionValue<T, Name> | Malformed);
}

function build<T extends Table>(table: T, values: Values<T>): Options {
  const built = new Map<number, Uint8Array>();
  for (const name in values) {
    const value = values[name];
    const row = table[name];
    if (row && value !== undefined) built.set(row[0], SHAPES[row[1]].write(value as never));
  }
  return built;
}
