import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { inside, SERVER } from "./lab.ts";
import { start, type RunningProcess } from "./process.ts";

/** The kinds of firmware that a machine can have. */
export type Firmware = "seabios-ipxe" | "ovmf-http" | "ovmf-pxe";

/** A machine to power on. */
export interface MachineOptions {
  readonly firmware: Firmware;
  readonly mac: string;
  readonly uuid: string;
  readonly disk?: string;
  readonly logDir: string;
}

const OVMF = "/usr/share/OVMF";

/**
 * Powers on one machine on the server's bridge. It always uses TCG, because guests may hang with a /dev/kvm that does not work.
 * Its UUID is always set, because QEMU's default is zero for every machine.
 */
export async function powerOn(options: MachineOptions): Promise<RunningProcess> {
  const { firmware, mac, uuid, disk, logDir } = options;
  const efi = firmware !== "seabios-ipxe";
  const args = [
    "-machine",
    "q35",
    "-accel",
    "tcg",
    "-cpu",
    efi ? "qemu64" : "max",
    "-m",
    efi ? "768" : "512",
    "-smp",
    "1",
    "-uuid",
    uuid,
  ];
  args.push("-nodefaults", "-nographic", "-display", "none", "-serial", "stdio", "-device", "virtio-rng-pci");
  args.push("-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no");
  // With an empty romfile, OVMF uses its own network stack.
  args.push("-device", `virtio-net-pci,netdev=n0,mac=${mac},bootindex=1${efi ? ",romfile=" : ""}`);
  if (efi) {
    const vars = join(logDir, "vars.fd");
    await copyFile(`${OVMF}/OVMF_VARS_4M.fd`, vars);
    args.push("-drive", `if=pflash,format=raw,unit=0,readonly=on,file=${OVMF}/OVMF_CODE_4M.fd`);
    args.push("-drive", `if=pflash,format=raw,unit=1,file=${vars}`);
    const disabled = firmware === "ovmf-http" ? ["IPv4PXESupport", "IPv6PXESupport"] : ["IPv6PXESupport"];
    for (const name of disabled) args.push("-fw_cfg", `name=opt/org.tianocore/${name},string=n`);
  } else {
    args.push("-boot", "n");
  }
  if (disk)
    args.push(
      "-drive",
      `if=none,id=d0,format=raw,snapshot=on,file=${disk}`,
      "-device",
      "virtio-blk-pci,drive=d0,bootindex=2",
    );
  else args.push("-no-reboot");
  const [command, rest] = inside(SERVER, "qemu-system-x86_64", ...args);
  return start("qemu", command, rest, join(logDir, "serial.log"));
}
