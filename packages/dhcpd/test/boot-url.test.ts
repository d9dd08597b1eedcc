import assert from "node:assert/strict";
import { test } from "node:test";
import { bootUrlOf } from "../src/v4/boot-url.ts";
import { dhcpdSchema } from "../src/config.ts";

test("machines boot from where pxe-http says it is, unless dhcpd is told otherwise", () => {
  const section = { listen: "10.0.0.2:8080", baseUrl: "http://boot.lab.test:8080" };
  assert.equal(bootUrlOf(undefined, section), "http://boot.lab.test:8080");
  assert.equal(bootUrlOf("http://10.0.0.9", section), "http://10.0.0.9");
  assert.equal(bootUrlOf(undefined, { listen: "10.0.0.2:8080" }), "http://10.0.0.2:8080");
  assert.equal(bootUrlOf(undefined, undefined), "http://127.0.0.1:7080");
  assert.equal(dhcpdSchema.parse({ bootUrl: "http://10.0.0.9/" }).bootUrl, "http://10.0.0.9");
});

test("an address that stands for all of them is none to boot from, and the fault says what to set", () => {
  for (const listen of ["0.0.0.0:8080", "[::]:8080"])
    assert.throws(() => bootUrlOf(undefined, { listen }), {
      code: "FL_NO_BOOT_URL",
      message: `pxeHttp.listen is ${listen}, which is no address to boot from: set pxeHttp.baseUrl`,
    });
});
