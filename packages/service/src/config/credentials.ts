import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * A process's TLS credentials: PEM bytes of the site's CA, its own certificate and key. A subject is a URI SAN
 * `spiffe://SITE/daemon/NAME` or `spiffe://SITE/operator/NAME`; there is no plaintext gRPC in a site.
 */
export interface Credentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificate or key is missing or cannot be read. */
export class NoCredentials extends Error {
  readonly code = "FL_NO_CREDENTIALS";
}

/**
 * The credentials of `name` in a trust folder: `ca.crt`, `NAME.crt`, `NAME.key`. Files are read on
 * access and again when they have changed, so a renewed certificate is used from the next connection on.
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
      if (seen !== "") return bytes; // the file is being replaced: keep the last good bytes
      throw new NoCredentials(`cannot read ${file}; issue it with: firstlight ca issue ${name}`, { cause });
    }
  };
}
