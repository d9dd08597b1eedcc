import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { check, type Checked } from "./check.ts";
import type { Reason } from "./reasons.ts";

export type Placed =
  | { readonly is: "placed"; readonly checked: Checked }
  /** The file has this text already. */
  | { readonly is: "same" }
  /** The previous file is unchanged. */
  | { readonly is: "refused"; readonly because: Reason; readonly fault: string };

/** Replaces unbound's configuration atomically: writes a new file, checks it and renames it. */
export async function place(file: string, text: string, checkconf: string): Promise<Placed> {
  const beside = `${file}.new`;
  if ((await present(file)) === text) {
    await rm(beside, { force: true }); // an earlier refused file is obsolete
    return { is: "same" };
  }
  await mkdir(dirname(file), { recursive: true });
  await writeDurably(beside, text);
  const checked = await check(beside, checkconf);
  // FILE.new is kept for inspection.
  if (checked.is === "unsound") return { is: "refused", because: checked.because, fault: checked.fault };
  await rename(beside, file);
  await syncFolder(dirname(file));
  return { is: "placed", checked };
}

async function present(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, "w", 0o644);
  await handle.writeFile(text);
  await handle.sync();
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}
