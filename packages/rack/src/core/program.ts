import { type Mac, macBytes, type IPv4 } from "@firstlight/wire";
import { options, type Options } from "@firstlight/wire/dhcp4";

/** A program that speaks DHCP on a machine: its BMC, a firmware, iPXE or a system, with the options that real ones send. */
export interface Program {
  readonly name: string;
  readonly vendorClass: string;
  /** Option 93: IANA's processor architecture type. */
  readonly arch?: number;
  /** Option 94: type, major, minor. */
  readonly undi?: readonly [number, number, number];
  /** Option 77, raw as iPXE sends it, not counted as RFC 3004 asks. */
  readonly userClass?: string;
  readonly wanted: readonly number[];
  readonly maxMessageSize?: number;
  /** EDK2 sets the broadcast flag and sends no client identifier; the others do the opposite. */
  readonly isEdk2?: true;
  /** What an offer must carry to be of use: a name for TFTP, a URL, or nothing. */
  readonly boots?: "tftp" | "http" | "script";
}

const EDK2_WANTED = [
  1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97, 128, 129, 130,
  131, 132, 133, 134, 135,
];
/** EDK2's HTTP Boot never sets the entry where PXE asks for 66: whatever lay on the stack goes out (235 in a capture). */
const EDK2_HTTP_WANTED = [
  1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 235, 67, 97,
];
const IPXE_WANTED = [1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203];
const LINUX_WANTED = [1, 3, 6, 12, 15, 26, 28, 42, 121];

/** PXE 2.1 §2.1: `PXEClient:Arch:00007:UNDI:003016`. */
function vendorClass(kind: "PXE" | "HTTP", arch: number, [, major, minor]: readonly [number, number, number]): string {
  return `${kind}Client:Arch:${digits(arch, 5)}:UNDI:${digits(major, 3)}${digits(minor, 3)}`;
}

const digits = (value: number, width: number): string => String(value).padStart(width, "0");

const edk2 = (kind: "PXE" | "HTTP", arch: number): Program => ({
  name: kind === "PXE" ? "UEFI PXE" : "UEFI HTTP Boot",
  vendorClass: vendorClass(kind, arch, [1, 3, 0]),
  arch,
  undi: [1, 3, 0],
  wanted: kind === "PXE" ? EDK2_WANTED : EDK2_HTTP_WANTED,
  maxMessageSize: 1472,
  isEdk2: true,
  boots: kind === "PXE" ? "tftp" : "http",
});

const ipxe = (arch: number, undi: readonly [number, number, number]): Program => ({
  name: "iPXE",
  vendorClass: vendorClass("PXE", arch, undi),
  arch,
  undi,
  userClass: "iPXE",
  wanted: IPXE_WANTED,
  maxMessageSize: 1472,
  boots: "script",
});

const system = (name: string, vendorClass: string): Program => ({
  name,
  vendorClass,
  wanted: LINUX_WANTED,
  maxMessageSize: 576,
});

export const PROGRAMS = {
  uefiPxe: edk2("PXE", 7),
  uefiHttp: edk2("HTTP", 16),
  uefiHttpArm: edk2("HTTP", 19),
  ipxeBios: ipxe(0, [1, 2, 1]),
  ipxeEfi: ipxe(7, [1, 3, 10]),
  ipxeArm: ipxe(11, [1, 3, 10]),
  linux: system("Linux", "udhcp 1.35.0"),
  idrac: system("iDRAC", "iDRAC"),
  bluefieldBmc: system("BlueField BMC", "NVIDIA/BF/BMC"),
} as const satisfies Record<string, Program>;

/** The options of a DISCOVER or REQUEST beyond 53, 50 and 54. `uuid` is derived from the MAC: firmware has one. */
export function optionsOf(program: Program, mac: Mac): Options {
  const { arch, undi, userClass } = program;
  return options({
    maxMessageSize: program.maxMessageSize,
    parameterRequestList: program.wanted,
    vendorClass: program.vendorClass,
    clientId: program.isEdk2 ? undefined : Uint8Array.of(1, ...macBytes(mac)),
    userClass: userClass === undefined ? undefined : new TextEncoder().encode(userClass),
    clientArch: arch === undefined ? undefined : [arch],
    clientNetworkInterface: undi && Uint8Array.from(undi),
    clientUuid: arch === undefined ? undefined : Uint8Array.of(0, ...new Uint8Array(10), ...macBytes(mac)),
    ipxe: userClass === undefined ? undefined : new Map([[177, Uint8Array.of(1, 0x1a, 0xf4, 0x10, 0)]]), // bus id
  });
}

/** What an ACK promised. */
export interface Lease {
  readonly address: IPv4;
  readonly serverId: IPv4;
  readonly leaseSeconds: number;
  /** Times on the client's clock, milliseconds. */
  readonly boundAt: number;
  readonly renewAt: number;
  readonly rebindAt: number;
  readonly expiresAt: number;
  readonly bootFile?: string;
  readonly nextServer: IPv4;
  readonly hostName?: string;
  readonly domainName?: string;
}
