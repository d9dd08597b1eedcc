import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./process.ts";

/** Cloud kernels have virtio as modules. They are loaded in this order. */
const MODULES = [
  "virtio_ring",
  "virtio",
  "virtio_pci_modern_dev",
  "virtio_pci_legacy_dev",
  "virtio_pci",
  "failover",
  "net_failover",
  "virtio_net",
];

const INIT = new URL("guest/init.sh", import.meta.url);
const UDHCPC = new URL("guest/udhcpc.sh", import.meta.url);

/** Paths of the discovery image's kernel and initrd. */
export interface Guest {
  readonly kernel: string;
  readonly initrd: string;
}

/** Builds the suite's discovery image, unless it is cached: Debian's cloud kernel, busybox, and `guest/init.sh`. */
export async function buildGuest(cache: string): Promise<Guest> {
  const depends = await run("apt-cache", ["depends", "linux-image-cloud-amd64"]);
  const image = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (!image) throw new Error("apt does not know linux-image-cloud-amd64: run apt-get update");
  const parts = await Promise.all([INIT, UDHCPC, new URL(import.meta.url)].map((url) => readFile(url)));
  const key = createHash("sha256").update(image).update(Buffer.concat(parts)).digest("hex").slice(0, 12);
  const guest = { kernel: join(cache, `vmlinuz-${key}`), initrd: join(cache, `initrd-${key}`) };
  if (existsSync(guest.kernel) && existsSync(guest.initrd)) return guest;

  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), "fl-guest-"));
  try {
    await run("sh", ["-c", `chmod 777 . && apt-get download -qq ${image}`], { cwd: work, timeoutMs: 300_000 });
    const deb = (await readdir(work)).find((name) => name.endsWith(".deb"))!;
    await run("dpkg-deb", ["-x", deb, "image"], { cwd: work });
    const version = image.replace("linux-image-", "");
    await buildInitrd(work, version, guest.initrd);
    await copyFile(join(work, `image/boot/vmlinuz-${version}`), guest.kernel);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return guest;
}

async function buildInitrd(work: string, version: string, target: string): Promise<void> {
  const root = join(work, "root");
  for (const folder of ["bin", "proc", "sys", "dev", "etc", "modules"])
    await mkdir(join(root, folder), { recursive: true });
  await cp("/bin/busybox", join(root, "bin/busybox"), { dereference: true });
  await symlink("busybox", join(root, "bin/sh"));
  await copyFile(INIT, join(root, "init"));
  await copyFile(UDHCPC, join(root, "udhcpc.sh"));
  for (const script of ["init", "udhcpc.sh"]) await chmod(join(root, script), 0o755);
  const drivers = join(work, `image/lib/modules/${version}/kernel`);
  for (const name of MODULES) {
    const found = (await run("find", [drivers, "-name", `${name}.ko`])).trim().split("\n")[0];
    if (found) await copyFile(found, join(root, `modules/${name}.ko`));
  }
  await writeFile(join(root, "modules/order"), MODULES.join("\n"));
  await run("sh", ["-c", `cd ${root} && find . | cpio -o -H newc --quiet | gzip -1 > ${target}`]);
}
