import assert from "node:assert/strict";
import { test } from "node:test";
import { live, skip } from "./live.ts";

test(
  "one command boots a rack: exit 0, each machine Ready with three addresses of its own",
  { skip, timeout: 60_000 },
  async () => {
    await using site = await live(["--rack", "--machines", "3", "--exit-when-ready", "--timeout", "45"]);
    assert.equal(await site.exited, 0, site.output.join("\n"));
    assert.ok(site.output.includes("All 3 machines are Ready."), site.output.join("\n"));
    const rows = site.output
      .map((line) => line.split(/\s+/))
      .filter(([name, state]) => /^r1-m\d\d$/.test(name!) && state === "ready");
    assert.deepEqual(
      rows.map(([name]) => name),
      ["r1-m01", "r1-m02", "r1-m03"],
    );
    const addresses = rows.flatMap(([, , ...rest]) => rest.slice(0, 3));
    assert.equal(new Set(addresses).size, 9);
    for (const address of addresses) assert.match(address, /^127\.6[456]\.\d+\.\d+$/);
    assert.equal(site.output.at(-1), "Everything has stopped.");
  },
);
