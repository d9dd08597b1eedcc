import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addClient, inside, LAB, SERVER } from "./lab.ts";
import type { ScenarioContext, MachineJson, Scenario } from "./scenario.ts";
import { run, sleep } from "./process.ts";
import { DNS_PORT, DOMAIN, HTTP_PORT } from "./site.ts";

/** Runs a tool in the server's namespace and returns its output. */
async function runTool(command: string, ...args: string[]): Promise<string> {
  return run(...inside(SERVER, command, ...args));
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Takes a lease with a client of this scenario. Returns its address and name. */
async function takeLease({ site, folder }: ScenarioContext): Promise<{ address: string; fqdn: string }> {
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

/** The text with its dots escaped, for a regular expression. */
function literal(text: string): string {
  return text.replaceAll(".", "\\.");
}

async function dig(...words: string[]): Promise<string> {
  return runTool(
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

/** dig gets the names that the API shows (A and PTR, over UDP and TCP), and correct negative answers. */
async function checkDns(context: ScenarioContext): Promise<void> {
  const { address, fqdn } = await takeLease(context);
  for (const transport of ["+notcp", "+tcp"]) {
    assert.match(await dig(transport, fqdn, "A"), new RegExp(`IN\\s+A\\s+${literal(address)}`));
    assert.match(await dig(transport, "-x", address), new RegExp(`IN\\s+PTR\\s+${literal(fqdn)}\\.`));
  }
  assert.match(await dig(DOMAIN, "SOA"), /flags: qr aa.*[\s\S]*IN\s+SOA\s+ns1\./);
  assert.match(await dig(`nobody.${DOMAIN}`, "A"), /NXDOMAIN[\s\S]*IN\s+SOA/);
  assert.match(await dig(DOMAIN, "AAAA"), /NOERROR[\s\S]*IN\s+SOA/);
  assert.match(await dig("example.com", "A"), /REFUSED/);
}

/** curl gets correct answers to HEAD, GET, a range, a conditional request and an unknown path. */
async function checkHttp({ site, folder }: ScenarioContext): Promise<void> {
  const url = `http://${LAB.gateway}:${HTTP_PORT}/artefacts/ipxe/snponly.efi`;
  const file = await readFile(join(site.stateDir, "artefacts/ipxe/snponly.efi"));
  const head = await runTool("curl", "-sSI", url);
  assert.match(head, /^HTTP\/1.1 200/);
  assert.match(head, new RegExp(`content-length: ${file.length}`, "i"));
  const etag = /etag: (.+)/i.exec(head)?.[1]?.trim();
  assert.ok(etag, "the artefact has no ETag");
  const received = join(folder, "curl.bin");
  await runTool("curl", "-sSf", "-o", received, url);
  assert.equal(sha256(await readFile(received)), sha256(file));
  await runTool("curl", "-sSf", "-r", "100-199", "-o", received, url);
  assert.deepEqual(await readFile(received), file.subarray(100, 200));
  const status = (...words: string[]): Promise<string> =>
    runTool("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", ...words);
  assert.equal(await status("-H", `If-None-Match: ${etag}`, url), "304");
  assert.equal(await status(`${url}.missing`), "404");
}

/** Two TFTP clients that share no code, with ours or with each other, fetch the same bytes. */
async function checkTftp({ site, folder }: ScenarioContext): Promise<void> {
  const expected = sha256(await readFile(join(site.stateDir, "artefacts/ipxe/undionly.kpxe")));
  const received = join(folder, "tftp.bin");
  for (const options of [[], ["--option", "blksize 1468"], ["--option", "blksize 1468", "--option", "windowsize 16"]]) {
    await runTool("atftp", ...options, "-g", "-r", "undionly.kpxe", "-l", received, LAB.gateway);
    assert.equal(sha256(await readFile(received)), expected, `atftp ${options.join(" ")}`);
  }
  await runTool("tftp", "-m", "binary", LAB.gateway, "-c", "get", "undionly.kpxe", received);
  assert.equal(sha256(await readFile(received)), expected, "tftp-hpa");
}

export const tools: Scenario = {
  name: "tools",
  short: false,
  async run(context) {
    await checkDns(context);
    await checkHttp(context);
    await checkTftp(context);
  },
};
