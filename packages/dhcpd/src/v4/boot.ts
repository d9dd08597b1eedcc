import { type IPv4, formatIPv4 } from "@firstlight/wire";
import { type Options, pxeVendor } from "@firstlight/wire/dhcp4";
import type { Client } from "./client.ts";
import type { Reason } from "../reasons.ts";

/** The boot file of each architecture (option 93), and how firmware fetches it: RFC 4578, UEFI §24.7. */
export const ARCH_FILES: Readonly<Record<string, { readonly by: "tftp" | "http"; readonly file: string }>> = {
  "x86-bios": { by: "tftp", file: "undionly.kpxe" },
  "x64-efi": { by: "tftp", file: "snponly.efi" },
  "x64-efi-ebc": { by: "tftp", file: "snponly.efi" },
  "arm64-efi": { by: "tftp", file: "snponly-arm64.efi" },
  "x64-http": { by: "http", file: "snponly.efi" },
  "arm64-http": { by: "http", file: "snponly-arm64.efi" },
};

/** Where boot files come from, as the site configures it. */
export interface BootSource {
  /** TFTP server: `siaddr`, `sname` and option 66. */
  readonly nextServer: IPv4;
  /** `http://10.0.0.1:8080`, without a final slash. */
  readonly bootUrl: string;
  /** File by architecture, before `ARCH_FILES`. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a reply adds so that the machine loads something; all absent where nothing is to load. */
export interface Boot {
  /** Option 67, and the `file` field where it fits and the firmware reads it. */
  readonly bootFile?: string;
  readonly file?: string;
  readonly sname?: string;
  readonly tftpServerName?: string;
  /** Echo of option 60, as firmware demands it. */
  readonly vendorClass?: "PXEClient" | "HTTPClient";
  readonly vendor?: Options;
  readonly ipxe?: Options;
  /** Why there is nothing to load, or why it is this. */
  readonly because: Reason;
}

const FILE_FIELD = 127;
const BOOT_HERE = 8; // PXE 2.1 §2.2.3: bits of 43.6; 8 uses the named file and asks no boot server
const NO_PROXY = new Map([[176, Uint8Array.of(1)]]); // iPXE's "no-pxedhcp": spares two seconds' wait for a ProxyDHCP

/** What this client is to load: architecture × stage. `trace` joins the fetch to its DISCOVER. */
export function bootOf(client: Client, source: BootSource, trace: string): Boot {
  if (client.stage === "os") return { because: "system-running" };
  const base = `${source.bootUrl}/t/${trace}`;
  if (client.stage === "ipxe") {
    const url = `${base}/boot.ipxe`;
    return { bootFile: url, ...fits(url), ipxe: NO_PROXY, because: "ipxe-script" };
  }
  const { arch } = client;
  if (arch === undefined) return { because: "no-architecture" };
  const row = ARCH_FILES[arch];
  const file = source.files[arch] ?? row?.file;
  if (file === undefined) return { because: "no-boot-file" };
  if (client.wantsHttp || row?.by === "http") {
    return { bootFile: `${base}/artefacts/ipxe/${file}`, vendorClass: "HTTPClient", because: "uefi-http-boot" };
  }
  const path = `t/${trace}/${file}`;
  const server = formatIPv4(source.nextServer);
  return {
    bootFile: path,
    ...fits(path),
    sname: server,
    tftpServerName: server,
    // Only a PXE client may see these; without 43.6 it would look for a boot server on port 4011.
    ...(client.vendorClass?.startsWith("PXEClient") && {
      vendorClass: "PXEClient",
      vendor: pxeVendor({ discoveryControl: BOOT_HERE }),
    }),
    because: "pxe-boot",
  };
}

const fits = (name: string): { file?: string } => (name.length <= FILE_FIELD ? { file: name } : {});
