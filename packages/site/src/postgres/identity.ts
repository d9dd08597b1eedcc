import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import type { Binaries } from "./binaries.ts";

/** The user that the server runs as. PostgreSQL refuses to run as root. */
export interface Identity {
  /** For people: `as user postgres`. */
  readonly says: string;
  /** What to put before the command. */
  readonly wrap: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

const NAMESPACE: Identity = {
  says: "in a user namespace",
  wrap: ["unshare", "-U", "--map-user=1000", "--map-group=1000"],
};

/**
 * Ourselves, unless we are root. As root: an unprivileged user that can reach the binaries and the folder; where none
 * can (a clone under a 0700 folder), a user namespace in which root is not root; else an error that says both.
 */
export function chooseIdentity(binary: Binaries, dir: string): Identity {
  if (process.getuid?.() !== 0) return { says: "as itself", wrap: [] };
  for (const user of ["postgres", "nobody"]) {
    const identity = userNamed(user);
    if (identity && canServe(identity, binary, dir)) return identity;
  }
  if (canServe(NAMESPACE, binary, dir)) return NAMESPACE;
  throw new Error(
    `PostgreSQL cannot run as root, no unprivileged user can reach ${binary.postgres} and ${dir}, and user namespaces ` +
      "are not allowed here: run as an ordinary user, move the checkout to where others may read it, or set DATABASE_URL",
  );
}

function userNamed(name: string): Identity | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid && gid ? { says: `as user ${name}`, wrap: [], uid: Number(uid), gid: Number(gid) } : undefined;
}

/** Tries the access instead of computing it from modes, ACLs and mount options. */
function canServe(identity: Identity, binary: Binaries, dir: string): boolean {
  give(dir, identity, false);
  const script = '"$1" --version >/dev/null && cd "$2" && test -w . && test -r .';
  const [command, ...args] = [...identity.wrap, "/bin/sh", "-c", script, "sh", binary.postgres, dir];
  const owner = identity.uid === undefined ? {} : { uid: identity.uid, gid: identity.gid! };
  const tried = spawnSync(command, args, { cwd: "/", stdio: "ignore", timeout: 10_000, ...owner });
  return tried.status === 0;
}

/**
 * Gives the folder to this user. Symbolic links are changed, not followed, because the folder's contents are less trusted than this
 * process.
 */
export function give(dir: string, identity: Identity, deep = true): void {
  if (process.getuid?.() !== 0) return;
  const [uid, gid] = [identity.uid ?? 0, identity.gid ?? 0];
  const args = [...(deep ? ["-R"] : []), "-h", `${uid}:${gid}`, dir];
  const changed = spawnSync("chown", args, { stdio: "ignore" });
  if (changed.status !== 0 || statSync(dir).uid !== uid) throw new Error(`cannot give ${dir} to uid ${uid}`);
}
