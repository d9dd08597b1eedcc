import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./process.ts";

/** The text that a machine writes to its serial console when it boots from its local disk. */
export const DISK_MARKER = "E2E LOCAL DISK";

/** Writes a disk whose boot sector sends the marker to the first serial port and halts. Returns the file's path. */
export async function biosDisk(folder: string): Promise<string> {
  const file = join(folder, "bios.img");
  if (existsSync(file)) return file;
  const code = [
    [0x31, 0xc0], // xor ax, ax
    [0x8e, 0xd8], // mov ds, ax
    [0xbe, 0x23, 0x7c], // mov si, text
    [0xfc], // cld
    [0xac], // next: lodsb
    [0x84, 0xc0], // test al, al
    [0x74, 0x11], // jz done
    [0x88, 0xc4], // mov ah, al
    [0xba, 0xfd, 0x03], // mov dx, line status
    [0xec], // wait: in al, dx
    [0xa8, 0x20], // test al, transmitter empty
    [0x74, 0xfb], // jz wait
    [0x88, 0xe0], // mov al, ah
    [0xb2, 0xf8], // mov dl, data register
    [0xee], // out dx, al
    [0xeb, 0xea], // jmp next
    [0xfa], // done: cli
    [0xf4], // hlt
    [0xeb, 0xfd], // jmp done
  ].flat();
  const sector = Buffer.alloc(1 << 20);
  sector.set(code, 0);
  sector.write(`\r\n${DISK_MARKER}\r\n\0`, 0x23, "latin1");
  // One active partition, because some loaders require one.
  sector.set([0x80, 0, 2, 0, 0x83, 0, 3, 0, 1, 0, 0, 0, 0xff, 7, 0, 0], 446);
  sector.set([0x55, 0xaa], 510);
  await writeFile(file, sector);
  return file;
}

/** Writes a FAT disk whose removable-media EFI loader sends the marker to the console. Returns the file's path. */
export async function efiDisk(folder: string): Promise<string> {
  const file = join(folder, "efi.img");
  if (existsSync(file)) return file;
  const [config, loader] = [join(folder, "disk.cfg"), join(folder, "disk.efi")];
  await writeFile(config, `echo "${DISK_MARKER}"\nsleep 2\nhalt\n`);
  await run("grub-mkimage", [
    "-O",
    "x86_64-efi",
    "-o",
    loader,
    "-c",
    config,
    "-p",
    "/EFI",
    "echo",
    "sleep",
    "halt",
    "normal",
    "minicmd",
    "fat",
  ]);
  await run("sh", ["-c", `truncate -s 34M ${file} && mkfs.vfat -F 32 ${file} >/dev/null`]);
  await run("mmd", ["-i", file, "::/EFI", "::/EFI/BOOT"]);
  await run("mcopy", ["-i", file, loader, "::/EFI/BOOT/BOOTX64.EFI"]);
  return file;
}
