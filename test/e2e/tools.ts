import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addClient, inside, LAB, SERVER } from "./lab.ts";
import type { Bench, MachineJson, Scenario } from "./scenario.ts";
import { run, sleep } from "./shell.ts";
import { DNS_PORT, DOMAIN, HTTP_PORT } from "./site.ts";

async function ask(command: string, ...args: string[]): Promise<string> {
  return run(...inside(SERVER, command, ...args));
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A client of its own takes a lease, so that there is a name to ask for. */
async function leaseOfOurOwn({ site, folder }: Bench): Promise<{ address: string; fqdn: string }> {
  const mac = "52:54:00:97:00:01";
  const namespace = await addClient("tools", "direct", mac);
  const script = join(folder, "script");
  await writeFile(script, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  await run(...inside(namespace, "udhcpc", "-i", "eth0", "-n", "-q", "-t", "10", "-T", "2", "-s", script));
  for (let tries = 0; tries < 20; tries++, await sleep(500)) {
    const machines = await site.json<MachineJson[]>("machines", "list");
    const found = machines.flatMap(({ interfaces }) => interfaces).find((one) => one.mac === mac && one.address);
    if (found) return found;
  }
  throw new Error(`the API lists no machine with ${mac}`);
}

/** The text as a part of a regular expression. */
function literal(text: string): string {
  return text.replaceAll(".", "\\.");
}

async function dig(...words: string[]): Promise<string> {
  return ask(
    "dig",
    `@${LAB.gateway}`,
    "-p",
    String(DNS_PORT),
    "+noall",
    "+comments",
    "+answer",
    "+authority",
    ...words,
  );
}

/** dig agrees with what the API says: forward and reverse, over UDP and TCP, the noes included. */
async function digAgrees(bench: Bench): Promise<void> {
  const { address, fqdn } = await leaseOfOurOwn(bench);
  for (const transport of ["+notcp", "+tcp"]) {
    assert.match(await dig(transport, fqdn, "A"), new RegExp(`IN\\s+A\\s+${literal(address)}`));
    assert.match(await dig(transport, "-x", address), new RegExp(`IN\\s+PTR\\s+${literal(fqdn)}\\.`));
  }
  assert.match(await dig(DOMAIN, "SOA"), /flags: qr aa.*[\s\S]*IN\s+SOA\s+ns1\./);
  assert.match(await dig(`nobody.${DOMAIN}`, "A"), /NXDOMAIN[\s\S]*IN\s+SOA/);
  assert.match(await dig(DOMAIN, "AAAA"), /NOERROR[\s\S]*IN\s+SOA/);
  assert.match(await dig("example.com", "A"), /REFUSED/);
}

/** curl agrees: HEAD, GET, a range, a condition, a miss. */
async function curlAgrees({ site, folder }: Bench): Promise<void> {
  const url = `http://${LAB.gateway}:${HTTP_PORT}/artefacts/ipxe/snponly.efi`;
  const file = await readFile(join(site.stateDir, "artefacts/ipxe/snponly.efi"));
  const head = await ask("curl", "-sSI", url);
  assert.match(head, /^HTTP\/1.1 200/);
  assert.match(head, new RegExp(`content-length: ${file.length}`, "i"));
  const etag = /etag: (.+)/i.exec(head)?.[1]?.trim();
  assert.ok(etag, "an artefact has an ETag");
  const got = join(folder, "curl.bin");
  await ask("curl", "-sSf", "-o", got, url);
  assert.equal(sha256(await readFile(got)), sha256(file));
  await ask("curl", "-sSf", "-r", "100-199", "-o", got, url);
  assert.deepEqual(await readFile(got), file.subarray(100, 200));
  const status = (...words: string[]): Promise<string> =>
    ask("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", ...words);
  assert.equal(await status("-H", `If-None-Match: ${etag}`, url), "304");
  assert.equal(await status(`${url}.missing`), "404");
}

/** Two TFTP clients that share no code with ours, or with one another, fetch the same bytes. */
async function tftpAgrees({ site, folder }: Bench): Promise<void> {
  const wanted = sha256(await readFile(join(site.stateDir, "artefacts/ipxe/undionly.kpxe")));
  const got = join(folder, "tftp.bin");
  for (const options of [[], ["--option", "blksize 1468"], ["--option", "blksize 1468", "--option", "windowsize 16"]]) {
    await ask("atftp", ...options, "-g", "-r", "undionly.kpxe", "-l", got, LAB.gateway);
    assert.equal(sha256(await readFile(got)), wanted, `atftp ${options.join(" ")}`);
  }
  await ask("tftp", "-m", "binary", LAB.gateway, "-c", "get", "undionly.kpxe", got);
  assert.equal(sha256(await readFile(got)), wanted, "tftp-hpa");
}

export const tools: Scenario = {
  name: "tools",
  short: false,
  async run(bench) {
    await digAgrees(bench);
    await curlAgrees(bench);
    await tftpAgrees(bench);
  },
};
