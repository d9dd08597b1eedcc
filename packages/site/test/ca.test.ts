import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, createServer, type PeerCertificate } from "node:tls";
import { openCa, type Issued } from "../src/ca.ts";

const dir = mkdtempSync(join(tmpdir(), "firstlight-ca-"));
after(() => rmSync(dir, { recursive: true }));
const NOW = Date.now();
const YEAR_MS = 365 * 86_400_000;

test("the CA is made once, and keys are for their owner's eyes only", async () => {
  const first = await openCa(join(dir, "once"), "lab", NOW);
  const again = await openCa(join(dir, "once"), "lab", NOW);
  assert.deepEqual([first.fresh, again.fresh], [true, false]);
  const { keyFile } = await again.issue({ is: "daemon", name: "dhcpd" });
  for (const file of [keyFile, join(dir, "once", "ca.key")]) assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("a certificate is kept until a third of its life is left, then renewed", async () => {
  assert.equal(await done(NOW), "issued");
  assert.equal(await done(NOW + 0.6 * YEAR_MS), "kept");
  assert.equal(await done(NOW + 0.7 * YEAR_MS), "renewed");
  assert.equal(await done(NOW + 0.8 * YEAR_MS), "kept");
});

test("what is not this site's, not of this CA, or half written is replaced", async () => {
  const trust = join(dir, "replace");
  const subject = { is: "daemon", name: "tftpd" } as const;
  const lab = await openCa(trust, "lab", NOW);
  await lab.issue(subject);
  assert.equal((await (await openCa(trust, "other", NOW)).issue(subject)).done, "renewed", "of another site");
  writeFileSync(join(trust, "tftpd.crt"), "-----BEGIN NONSENSE-----\n");
  assert.equal((await (await openCa(trust, "other", NOW)).issue(subject)).done, "renewed", "not a certificate");
  await lab.issue({ is: "daemon", name: "dnsd" });
  writeFileSync(join(trust, "tftpd.key"), readFileSync(join(trust, "dnsd.key")));
  assert.equal((await (await openCa(trust, "other", NOW)).issue(subject)).done, "renewed", "another's key");
  rmSync(join(trust, "ca.key"));
  assert.equal((await (await openCa(trust, "other", NOW)).issue(subject)).done, "renewed", "of a lost CA");
});

test("a peer of this CA is let in by its SPIFFE name; one without the right name, or of another CA, is not", async () => {
  const ca = await openCa(join(dir, "lab"), "lab", NOW);
  const stranger = await openCa(join(dir, "stranger"), "lab", NOW);
  const api = await ca.issue({ is: "daemon", name: "api" });
  const server = createServer(
    { ...pems(api), ca: readFileSync(ca.certFile), requestCert: true, rejectUnauthorized: true },
    (socket) => {
      const names = socket.getPeerCertificate().subjectaltname ?? "";
      socket.end(names.split(", ").includes("URI:spiffe://lab/daemon/dhcpd") ? "welcome" : "who are you?");
    },
  );
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const asked = async (client?: Issued): Promise<string> => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      ca: readFileSync(ca.certFile),
      ...(client === undefined ? {} : pems(client)),
      checkServerIdentity: (_host: string, cert: PeerCertificate) =>
        cert.subjectaltname?.includes("URI:spiffe://lab/daemon/api") === true ? undefined : new Error("not the API"),
    });
    try {
      let said = "";
      for await (const chunk of socket) said += String(chunk);
      return said === "" ? "refused" : said;
    } catch {
      return "refused";
    }
  };
  try {
    assert.equal(await asked(await ca.issue({ is: "daemon", name: "dhcpd" })), "welcome");
    assert.equal(await asked(await ca.issue({ is: "operator", name: "root" })), "who are you?");
    assert.equal(await asked(await stranger.issue({ is: "daemon", name: "dhcpd" })), "refused");
    assert.equal(await asked(), "refused");
  } finally {
    server.close();
  }
});

const pems = ({ certFile, keyFile }: Issued): { cert: Buffer; key: Buffer } => ({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
});

async function done(now: number): Promise<string> {
  const ca = await openCa(join(dir, "renew"), "lab", now);
  return (await ca.issue({ is: "daemon", name: "dhcpd" })).done;
}
