import { existsSync } from "node:fs";
import { run } from "./process.ts";

/** The suite's Debian packages, each with a file that it installs. */
const PACKAGES: Readonly<Record<string, string>> = {
  "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
  ovmf: "/usr/share/OVMF/OVMF_CODE_4M.fd",
  ipxe: "/usr/lib/ipxe/snponly.efi",
  "ipxe-qemu": "/usr/lib/ipxe/qemu/pxe-virtio.rom",
  "isc-dhcp-client": "/usr/sbin/dhclient",
  "isc-dhcp-relay": "/usr/sbin/dhcrelay",
  udhcpc: "/usr/sbin/udhcpc",
  "dhcpcd-base": "/usr/sbin/dhcpcd",
  systemd: "/lib/systemd/systemd-networkd",
  "busybox-static": "/bin/busybox",
  "grub-efi-amd64-bin": "/usr/lib/grub/x86_64-efi/normal.mod",
  "grub-common": "/usr/bin/grub-mkimage",
  mtools: "/usr/bin/mcopy",
  dosfstools: "/usr/sbin/mkfs.vfat",
  cpio: "/usr/bin/cpio",
  iproute2: "/usr/sbin/ip",
  tcpdump: "/usr/bin/tcpdump",
  unbound: "/usr/sbin/unbound",
  "bind9-dnsutils": "/usr/bin/dig",
  curl: "/usr/bin/curl",
  atftp: "/usr/bin/atftp",
  "tftp-hpa": "/usr/bin/tftp",
};

/** Installs the missing packages and prints their names. */
export async function installPackages(): Promise<void> {
  const missing = Object.entries(PACKAGES).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0) return;
  console.log(`installing Debian packages: ${missing.join(" ")}`);
  await run("apt-get", ["update", "-qq"], { timeoutMs: 300_000 });
  await run(
    "env",
    ["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing],
    {
      timeoutMs: 600_000,
    },
  );
}
