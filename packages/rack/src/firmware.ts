import { formatMac, formatIPv4 } from "@firstlight/wire";
import { type Lease, type Program, PROGRAMS } from "./core/program.ts";
import type { Nic } from "./nic.ts";

/** How a machine gets to iPXE: by its ROM and what that loads, or because iPXE is its ROM. */
export interface Firmware {
  readonly name: string;
  /** What runs first and fetches iPXE; absent where iPXE is in the ROM itself. */
  readonly rom?: Program;
  readonly romAgent?: string;
  readonly ipxe: Program;
  /** iPXE's settings of these names. */
  readonly buildarch: "i386" | "x86_64" | "arm64";
  readonly platform: "pcbios" | "efi";
}

const IPXE_VERSION = "1.21.1+";
export const IPXE_AGENT = `iPXE/${IPXE_VERSION}`;
const UEFI_AGENT = "UefiHttpBoot/1.0";

/** The hosts of a rack have three kinds of firmware in turn. */
export const HOST_FIRMWARES: readonly Firmware[] = [
  { name: "BIOS with iPXE ROM", ipxe: PROGRAMS.ipxeBios, buildarch: "i386", platform: "pcbios" },
  { name: "UEFI PXE", rom: PROGRAMS.uefiPxe, ipxe: PROGRAMS.ipxeEfi, buildarch: "x86_64", platform: "efi" },
  {
    name: "UEFI HTTP Boot",
    rom: PROGRAMS.uefiHttp,
    romAgent: UEFI_AGENT,
    ipxe: PROGRAMS.ipxeEfi,
    buildarch: "x86_64",
    platform: "efi",
  },
];

export const DPU_FIRMWARE: Firmware = {
  name: "UEFI HTTP Boot, arm64",
  rom: PROGRAMS.uefiHttpArm,
  romAgent: UEFI_AGENT,
  ipxe: PROGRAMS.ipxeArm,
  buildarch: "arm64",
  platform: "efi",
};

/** BMCs get only an address and a name. */
export const BMCS: readonly Program[] = [PROGRAMS.idrac, PROGRAMS.bluefieldBmc];

/** What an iPXE script can ask about its machine. */
export function settingsOf(nic: Nic, { buildarch, platform }: Firmware, lease: Lease): ReadonlyMap<string, string> {
  const mac = formatMac(nic.mac);
  const address = formatIPv4(lease.address);
  return new Map([
    ["buildarch", buildarch],
    ["platform", platform],
    ["version", IPXE_VERSION],
    ["serial", nic.serial],
    ["net0/mac", mac],
    ["netX/mac", mac],
    ["mac", mac],
    ["net0/ip", address],
    ["ip", address],
    ["hostname", lease.hostName ?? ""],
    ["filename", lease.bootFile ?? ""],
    ["next-server", formatIPv4(lease.nextServer)],
  ]);
}
