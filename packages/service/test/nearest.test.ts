import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "../src/index.ts";

test("the nearest word is found within the distance bound only", () => {
  assert.equal(nearest("serverIp", ["listen", "serverId"]), "serverId");
  assert.equal(nearest("offerhold", ["offerHold"]), "offerHold");
  assert.equal(nearest("colour", ["listen", "serverId"]), undefined);
});
