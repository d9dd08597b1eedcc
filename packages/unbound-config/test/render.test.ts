import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { assert as always, property, string } from "fast-check";
import { domain, prefix, segment, siteOf } from "@firstlight/kit";
import { render } from "../src/render.ts";
import { isPlain, type SiteView, viewOf } from "../src/view.ts";
import { ROWS, settings } from "./site.ts";

const VIEW: SiteView = {
  forward: ["lab.test"],
  reverse: ["0.64.127.in-addr.arpa"],
  networks: ["127.64.0.0/24"],
  left: [],
};
const text = render(VIEW, settings());

test("the lab's configuration equals the golden file", () => {
  assert.equal(text, readFileSync(join(import.meta.dirname, "lab.conf"), "utf8"));
});

/** The pitfalls of unbound as a site's resolver: what the file must say, and what happens else. */
const PITFALLS: readonly (readonly [because: string, line: RegExp])[] = [
  ["a dnsd on this machine is never asked: SERVFAIL", /^ {2}do-not-query-localhost: no$/m],
  ["a PTR is NXDOMAIN from unbound's own zone", /^ {2}local-zone: "0\.64\.127\.in-addr\.arpa\." transparent$/m],
  ["an A is stripped of its address", /^ {2}private-domain: "lab\.test"$/m],
  ["a site without the Internet does not validate: SERVFAIL", /^ {2}domain-insecure: "lab\.test"$/m],
  ["the same for a PTR", /^ {2}domain-insecure: "0\.64\.127\.in-addr\.arpa"$/m],
  ["a machine asks for its name before it has one", /^ {2}cache-max-negative-ttl: 10$/m],
  ["a TTL of 0 and serve-expired: NXDOMAIN for ever", /^ {2}cache-min-ttl: 1$/m],
  ["cached name servers take over from the stub", /^ {2}stub-prime: no$/m],
  ["a failing stub is asked for at the root", /^ {2}stub-first: no$/m],
  ["without an anchor nothing can be validated", /^ {2}module-config: "iterator"$/m],
  ["a foreign name answers with an address of ours", /^ {2}private-address: "127\.64\.0\.0\/24"$/m],
  ["large answers fragment", /^ {2}edns-buffer-size: 1232$/m],
  ["names are gone with dnsd", /^ {2}serve-expired: yes$/m],
  ["a machine of the site is refused", /^ {2}access-control: "127\.64\.0\.0\/24" allow$/m],
];

for (const [because, line] of PITFALLS) test(`else ${because}`, () => assert.match(text, line));

test("the configuration has no catch-all refusal", () => {
  assert.doesNotMatch(text, /access-control: "?(0\.0\.0\.0|::)\/0/);
});

test("zones have stubs at every dnsd, other names go to forwarders", () => {
  const said = render(
    VIEW,
    settings({
      dnsd: ["127.0.0.1:7053", "[fd00::1]:53"],
      forwarders: [{ address: "9.9.9.9:853", tlsName: "dns.quad9.net" }],
    }),
  );
  assert.equal(said.match(/^stub-zone:$/gm)?.length, 2);
  assert.equal(said.match(/stub-addr: "127\.0\.0\.1@7053"\n {2}stub-addr: "fd00::1@53"/g)?.length, 2);
  assert.match(said, /name: "\."\n {2}forward-addr: "9\.9\.9\.9@853#dns\.quad9\.net"\n {2}forward-tls-upstream: yes/);
  assert.match(said, /tls-cert-bundle: /);
});

test("a trust anchor enables validation", () => {
  const said = render(VIEW, settings({ trustAnchorFile: "/etc/unbound/root.key" }));
  assert.match(said, /module-config: "validator iterator"\n {2}trust-anchor-file: "\/etc\/unbound\/root\.key"/);
});

test("the view lists each zone and network once", async () => {
  await using site = await siteOf([
    ...ROWS,
    segment({ id: 2, name: "tenant-a", vrf: "a" }),
    segment({ id: 3, name: "tenant-b", vrf: "b" }),
    prefix({ id: 2, segment: 2, vrf: "a", prefix: "10.0.0.0/20" }),
    prefix({ id: 3, segment: 3, vrf: "b", prefix: "10.0.0.0/20" }),
    prefix({ id: 4, segment: 1, prefix: "fd00:0:0:1::/64" }),
  ]);
  const view = viewOf(site.replica);
  assert.deepEqual(view.networks, ["10.0.0.0/20", "127.64.0.0/24", "fd00:0:0:1::/64"]);
  assert.equal(view.reverse.filter((zone) => zone.endsWith(".0.10.in-addr.arpa")).length, 16);
  assert.deepEqual(view.forward, ["lab.test"]);
});

test("a zone whose name needs escapes is left out and reported", async () => {
  await using site = await siteOf([...ROWS, domain({ id: 2, name: 'evil" include: "/etc/shadow' })]);
  const view = viewOf(site.replica);
  assert.deepEqual(view.forward, ["lab.test"]);
  assert.deepEqual(view.left, ['evil" include: "/etc/shadow']);
});

test("law: a zone's name injects no line into the configuration", () => {
  always(
    property(string({ unit: "binary" }), (name) => {
      if (isPlain(name)) {
        const lines = render({ ...VIEW, forward: [name] }, settings()).split("\n");
        assert.equal(lines.length, text.split("\n").length);
      } else if (/["\n\r]/.test(name)) {
        assert.throws(() => render({ ...VIEW, forward: [name] }, settings()));
      }
    }),
  );
});
