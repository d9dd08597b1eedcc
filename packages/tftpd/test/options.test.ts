import assert from "node:assert/strict";
import test from "node:test";
import { assert as holds, array, constantFrom, property, string, tuple } from "fast-check";
import { negotiate } from "../src/options.ts";

const LIMITS = { blockBytes: 1468, windowBlocks: 16 };
const asked = (list: Record<string, string>) => negotiate(new Map(Object.entries(list)), LIMITS, 173_792);

test("what was asked is granted within the site's limits, in the order asked", () => {
  const agreed = asked({ windowsize: "64", tsize: "0", blksize: "8192", timeout: "3" });
  assert.deepEqual([...agreed.options].flat(), "windowsize 16 tsize 173792 blksize 1468 timeout 3".split(" "));
  assert.deepEqual([agreed.blockBytes, agreed.windowBlocks, agreed.timeoutMs], [1468, 16, 3000]);
});

test("what is out of its range or unknown is left out, and the transfer goes on with the defaults", () => {
  const agreed = asked({
    blksize: "7",
    windowsize: "0",
    timeout: "256",
    multicast: "",
    constructor: "1",
    utimeout: "9",
  });
  assert.deepEqual(agreed, { blockBytes: 512, windowBlocks: 1, options: new Map() });
  assert.equal(asked({ blksize: "65465" }).options.size, 0);
  assert.equal(asked({ blksize: "1e3" }).options.size, 0);
  assert.equal(asked({ blksize: "-8" }).options.size, 0);
});

test("law: nothing is granted that was not asked, and never beyond the limits", () => {
  const name = constantFrom("blksize", "tsize", "timeout", "windowsize", "x");
  holds(
    property(array(tuple(name, string({ maxLength: 6 }))), (list) => {
      const agreed = negotiate(new Map(list), LIMITS, 1000);
      assert.ok(agreed.blockBytes >= 8 && agreed.blockBytes <= 1468);
      assert.ok(agreed.windowBlocks >= 1 && agreed.windowBlocks <= 16);
      for (const option of agreed.options.keys()) assert.ok(list.some(([asked]) => asked === option));
    }),
  );
});
