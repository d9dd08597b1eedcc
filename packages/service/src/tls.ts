import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * What a process proves itself with: PEM bytes of the site's CA, its own certificate and key. A subject is a URI SAN
 * `spiffe://SITE/daemon/NAME` or `spiffe://SITE/operator/NAME`; there is no plaintext gRPC in a site.
 */
export interface Credentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificate or key is not there or cannot be read. */
export class NoCredentials extends Error {
  readonly code = "FL_NO_CREDENTIALS";
}

/**
 * The credentials of `name` in a trust folder: `ca.crt`, `NAME.crt`, `NAME.key`. Nothing is read before it is asked
 * for; each question looks whether the files have changed, so a renewed certificate serves from the next connection on.
 * Do not spread the result: that would freeze it.
 */
export function loadCredentials(dir: string, name: string): Credentials {
  const ca = watched(join(dir, "ca.crt"), name);
  const cert = watched(join(dir, `${name}.crt`), name);
  const key = watched(join(dir, `${name}.key`), name);
  return {
    get ca() {
      return ca();
    },
    get cert() {
      return cert();
    },
    get key() {
      return key();
    },
  };
}

function watched(file: string, name: string): () => Buffer {
  let seen = "";
  let bytes: Buffer = Buffer.alloc(0);
  return () => {
    try {
      const { mtimeMs, ino, size } = statSync(file);
      const now = `${mtimeMs} ${ino} ${size}`;
      if (now !== seen) [bytes, seen] = [readFileSync(file), now];
      return bytes;
    } catch (cause) {
      if (seen !== "") return bytes; // a file that is being replaced: what was good goes on being good
      throw new NoCredentials(`cannot read ${file}; issue it with: firstlight ca issue ${name}`, { cause });
    }
  };
}
