import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readAddress, testTrust } from "@firstlight/kit";
import { createContext, createLog, loadSite, splitEndpoint } from "@firstlight/service";
import { daemon } from "@firstlight/tftpd";
import { fetch, openClient } from "./lab.ts";

test("the whole daemon serves files while database and API are both away, and says what it cannot name", async () => {
  await using parts = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "firstlight-tftpd-"));
  parts.defer(() => rm(dir, { recursive: true }));
  using trust = await testTrust();
  await trust.issue("daemon/tftpd");
  const file = join(dir, "site.yaml");
  await writeFile(
    file,
    `{ site: { stateDir: "." }, trust: { dir: ${trust.dir} }, database: { url: "postgres://nobody@127.0.0.1:1/none" },
       apiEndpoint: "127.0.0.1:1", log: { level: error }, tftpd: { listen: "127.0.0.1:0", engine: dgram } }`,
  );
  await mkdir(join(dir, "artefacts/ipxe"), { recursive: true });
  await writeFile(join(dir, "artefacts/ipxe/snponly.efi"), "ipxe");
  const loaded = loadSite(file, { tftpd: daemon.config }, {});
  assert.ok(loaded.is === "loaded", JSON.stringify(loaded.faults));
  const log = createLog(loaded.site, daemon.name);
  const owned = parts.use(await createContext<never>(daemon, loaded.site, loaded.sections, log));
  const running = await daemon.start(owned.context);
  parts.defer(() => running.stop());
  const { port } = splitEndpoint(running.endpoints["udp"]!);
  await using client = await openClient({ address: readAddress("127.0.0.1"), port });
  const fetched = await fetch(client, "snponly.efi", { tsize: "0" });
  assert.ok("bytes" in fetched);
  assert.equal(Buffer.from(fetched.bytes).toString(), "ipxe");
  const { ready, because, detail } = running.ready();
  assert.equal(ready, true);
  assert.equal(because, "clients-not-named");
  assert.match(detail ?? "", /^clients are not named: /);
  await running.drain();
});
