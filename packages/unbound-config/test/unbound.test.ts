import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { domain, iface, lease, prefix } from "@firstlight/kit";
import { controlAt } from "../src/control.ts";
import { render } from "../src/render.ts";
import type { SiteView } from "../src/view.ts";
import { a, authority } from "./authority.ts";
import { folder, lab, settings } from "./site.ts";
import { ask, freePort, SKIP, startUnbound, unboundOn } from "./unbound.ts";

const VIEW: SiteView = {
  forward: ["lab.test"],
  reverse: ["64.127.in-addr.arpa"],
  networks: ["127.64.0.0/16"],
  left: [],
};
const HOST = "node-1.lab.test";
const ADDRESS = "127.64.0.12";
const PTR = "12.0.64.127.in-addr.arpa";

async function dnsd() {
  const served = await authority([...VIEW.forward, ...VIEW.reverse]);
  served.records.set(HOST, a(ADDRESS));
  served.records.set(PTR, { is: "PTR", host: HOST });
  return served;
}

/** What each line is for: what is seen with it, and what without it. */
const PITFALLS: readonly (readonly [line: RegExp, type: "A" | "PTR", without: string])[] = [
  [/do-not-query-localhost: no/, "A", "SERVFAIL"],
  [/local-zone: "64\.127\.in-addr\.arpa\." transparent/, "PTR", "NXDOMAIN"],
  [/local-zone: "lab\.test\." transparent/, "A", "NXDOMAIN"], // RFC 6761: `test` is shadowed as well
  [/private-domain: "lab\.test"/, "A", "NOERROR"],
];

for (const [line, type, without] of PITFALLS) {
  test(
    `a real unbound: without ${line.source.replaceAll("\\", "")} a ${type} is ${without}`,
    { skip: SKIP },
    async () => {
      using served = await dnsd();
      await using at = await folder();
      const port = await freePort();
      const text = render(VIEW, {
        ...settings({ port, threads: 1, dnsd: [served.endpoint] }),
        controlSocket: join(at.path, "ctl"),
      });
      assert.match(text, line);
      await using _unbound = await unboundOn(at.path, text.replace(line, ""));
      assert.equal(await ask(port, type === "A" ? HOST : PTR, type), without);
    },
  );
}

test("a real unbound: `nodefault` would not open a part of a zone that it answers itself", { skip: SKIP }, async () => {
  using served = await dnsd();
  await using at = await folder();
  const port = await freePort();
  const text = render(VIEW, {
    ...settings({ port, threads: 1, dnsd: [served.endpoint] }),
    controlSocket: join(at.path, "ctl"),
  });
  await using _unbound = await unboundOn(at.path, text.replaceAll("transparent", "nodefault"));
  assert.equal(await ask(port, PTR, "PTR"), "NXDOMAIN");
});

test(
  "a real unbound answers both ways from the stub, whatever name servers the zone claims",
  { skip: SKIP },
  async () => {
    using served = await dnsd();
    served.records.set("node-2.lab.test", a("127.64.0.13"));
    await using at = await folder();
    const port = await freePort();
    const controlSocket = join(at.path, "ctl");
    const text = render(VIEW, { ...settings({ port, dnsd: [served.endpoint] }), controlSocket });
    await using _unbound = await unboundOn(at.path, text);
    assert.equal(await ask(port, HOST), `NOERROR ${ADDRESS}`);
    // The zone's NS, with an address that nobody answers at, is in the cache now (NLnetLabs/unbound#292).
    assert.equal(await ask(port, "node-2.lab.test"), "NOERROR 127.64.0.13");
    assert.equal(await ask(port, PTR, "PTR"), `NOERROR ${HOST}`);
    assert.equal(await ask(port, "1.0.65.127.in-addr.arpa", "PTR"), "NXDOMAIN"); // not ours: still closed
    const refused = await controlAt(controlSocket)("flush"); // no name
    assert.equal(refused.is, "refused");
    assert.match(await stubs(controlSocket), /lab\.test/);
  },
);

/** An anchor above our zone whose key nobody has: an isolated site cannot reach the root either. */
const ANCHOR = `test. IN DS 20326 8 2 ${"E0".repeat(32)}\n`;

test(
  "a real unbound that validates still answers for our unsigned zones, and only because it is told",
  { skip: SKIP },
  async () => {
    using served = await dnsd();
    await using at = await folder();
    const port = await freePort();
    const trustAnchorFile = join(at.path, "anchor");
    await writeFile(trustAnchorFile, ANCHOR);
    const text = render(VIEW, {
      ...settings({
        port,
        threads: 1,
        dnsd: [served.endpoint],
        trustAnchorFile,
        forwarders: [{ address: served.endpoint }],
      }),
      controlSocket: join(at.path, "ctl"),
    });
    {
      await using _unbound = await unboundOn(at.path, text);
      assert.equal(await ask(port, HOST), `NOERROR ${ADDRESS}`);
    }
    await using _unbound = await unboundOn(at.path, text.replaceAll(/domain-insecure: .*/g, ""));
    assert.equal(await ask(port, HOST), "SERVFAIL");
  },
);

test(
  "a real unbound hears of a name at once, of a zone by reload, and outlives its authority",
  { skip: SKIP },
  async () => {
    using served = await authority(["lab.test", "more.test", "0.64.127.in-addr.arpa"]);
    await using at = await folder();
    const port = await freePort();
    await using own = await lab(at.path, { port, threads: 1, dnsd: [served.endpoint] });
    await using _unbound = await startUnbound(join(at.path, "unbound.conf"));
    const { source } = own.site;
    const flushed = (name: string, is: string) => until(async () => (await ask(port, name)) === is);
    await until(async () => own.running.ready().because === undefined); // the reload and flush of its start are over

    assert.equal(await ask(port, HOST), "NXDOMAIN"); // a minute's "no", cut to ten seconds
    served.records.set(HOST, a(ADDRESS));
    assert.equal(await ask(port, HOST), "NXDOMAIN");
    source.push(iface({ label: "node-1" }), lease({ address: ADDRESS }));
    await flushed(HOST, `NOERROR ${ADDRESS}`);

    served.records.set("www.more.test", a("127.64.0.80"));
    assert.equal(await ask(port, "www.more.test"), "NXDOMAIN"); // unbound's own `test.`
    source.push(domain({ id: 2, name: "more.test" }));
    const zones = 'command="flush_zone",outcome="ok"} 5'; // two at its start, three now
    await until(async () => (await own.metrics.metrics()).includes(zones));
    await flushed("www.more.test", "NOERROR 127.64.0.80");

    served.goAway();
    source.push(prefix({ id: 2, prefix: "127.66.0.0/24" })); // a reload that keeps the cache, and no flush
    await until(async () => (await stubs(join(at.path, "unbound.ctl"))).includes("0.66.127.in-addr.arpa"));
    assert.equal(await ask(port, "www.more.test"), "NOERROR 127.64.0.80"); // serve-expired
  },
);

async function stubs(controlSocket: string): Promise<string> {
  const answer = await controlAt(controlSocket)("list_stubs");
  return answer.is === "ok" ? answer.text : answer.fault;
}

/** Asks until it is so; the test's own time limit ends it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
