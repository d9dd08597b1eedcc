import assert from "node:assert/strict";
import { test } from "node:test";
import { TCPClient, UDPClient } from "dns2";
import { lease, name, RACK_ROWS } from "@firstlight/kit";
import { lab } from "../packet/dns/lab.ts";

/** npm's dns2 as an independent client and decoder of our bytes. */
const MORE = [
  name({ id: 2, owner: "alias.lab.test", type: "CNAME", data: "www.lab.test" }),
  name({ id: 3, owner: "_http._tcp.lab.test", type: "SRV", data: "1 2 8080 www.lab.test" }),
  name({ id: 4, owner: "txt.lab.test", type: "TXT", data: '"two words" three' }),
  name({ id: 5, owner: "six.lab.test", type: "AAAA", data: "fd00::1" }),
  ...Array.from({ length: 120 }, (_, n) => name({ id: 100 + n, owner: "wide.lab.test", data: `127.64.1.${n}` })),
];

test("dns2 reads what we say, over UDP and TCP", async () => {
  await using on = await lab([...RACK_ROWS, lease(), ...MORE]);
  const udp = UDPClient({ dns: "127.0.0.1", port: on.port });
  const tcp = TCPClient({ dns: "127.0.0.1", port: on.port });
  for (const ask of [udp, tcp]) {
    const first = async (owner: string, type: "A" | "PTR" | "CNAME" | "SRV" | "TXT" | "AAAA" | "SOA" | "NS") =>
      Object(((await ask(owner, type)) as { answers: object[] }).answers[0]) as Record<string, unknown>;
    assert.equal((await first("127-64-0-12.lab.test", "A"))["address"], "127.64.0.12");
    assert.equal((await first("12.0.64.127.in-addr.arpa", "PTR"))["domain"], "127-64-0-12.lab.test");
    assert.equal((await first("alias.lab.test", "A"))["domain"], "www.lab.test");
    const srv = await first("_http._tcp.lab.test", "SRV");
    assert.deepEqual([srv["priority"], srv["weight"], srv["port"], srv["target"]], [1, 2, 8080, "www.lab.test"]);
    assert.equal((await first("lab.test", "SOA"))["primary"], "ns1.lab.test");
    assert.equal((await first("lab.test", "NS"))["ns"], "ns1.lab.test");
    assert.match(String((await first("six.lab.test", "AAAA"))["address"]), /^fd00:/);
    assert.match(String((await first("txt.lab.test", "TXT"))["data"]), /two words/);
  }
  const wide = (await udp("wide.lab.test", "A")) as { answers: object[] };
  assert.equal(wide.answers.length, 120, "truncated over UDP, so it came over TCP");
  const none = (await udp("nobody.lab.test", "A")) as { header: { rcode: number }; authorities: { ttl: number }[] };
  assert.deepEqual([none.header.rcode, none.authorities[0]?.ttl], [3, 5]);
});
