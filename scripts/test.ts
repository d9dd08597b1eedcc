/** `npm test`: every test of the tree that needs no root and no Debian package. Arguments pick files by a part of their path. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const parts = process.argv.slice(2);
const files = ["packages/*/test/**/*.test.ts", "test/*.test.ts", "test/{packet,interop,scenario}/**/*.test.ts"]
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
const { status } = spawnSync(process.execPath, ["--test", "--test-concurrency=2", "--test-timeout=120000", ...files], {
  cwd: root,
  stdio: "inherit",
});
process.exit(status ?? 1);
