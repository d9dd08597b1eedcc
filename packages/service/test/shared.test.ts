import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { pino } from "pino";
import { createMetrics, processShared, redisShared, systemClock, type Shared } from "../src/index.ts";

const redisUrl = process.env["REDIS_URL"];
const log = pino({ level: "silent" });

const ENGINES: Record<string, { open: () => Promise<Shared>; skip: string | false }> = {
  process: { open: async () => processShared(systemClock), skip: false },
  redis: {
    skip: redisUrl === undefined || redisUrl === "" ? "REDIS_URL is not set: no Redis to test against" : false,
    open: async () => {
      const metrics = createMetrics("lab", "test");
      const prefix = `firstlight:${randomUUID()}:`;
      const shared = redisShared({ url: redisUrl ?? "", prefix, clock: systemClock, log, metrics });
      const fallbacks = (): Promise<string> => metrics.getSingleMetricAsString("firstlight_redis_fallbacks_total");
      for (let attempt = 0; attempt < 100; attempt += 1) {
        const before = await fallbacks();
        await shared.publish("up", "");
        if ((await fallbacks()) === before) break; // the connection is made in the background
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return shared;
    },
  },
};

for (const [name, { open, skip }] of Object.entries(ENGINES)) {
  test(`${name}: a bucket gives its burst, then nothing until it refills`, { skip }, async () => {
    await using shared = await open();
    const taken = await Promise.all(Array.from({ length: 8 }, () => shared.take("relay", 0.001, 5)));
    assert.equal(taken.filter(Boolean).length, 5);
    assert.equal(await shared.take("other relay", 0.001, 5), true, "each key has its own");
    assert.equal(await shared.take("fast", 1000, 1), true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(await shared.take("fast", 1000, 1), true, "refilled");
  });

  test(`${name}: a message reaches every subscriber of its channel until it unsubscribes`, { skip }, async () => {
    await using shared = await open();
    const received: string[] = [];
    const one = await shared.subscribe("machines", (message) => received.push(`one ${message}`));
    await using _two = await shared.subscribe("machines", (message) => received.push(`two ${message}`));
    await shared.publish("machines", "m1");
    await shared.publish("elsewhere", "m2");
    await until(() => received.length === 2);
    await one[Symbol.asyncDispose]();
    await shared.publish("machines", "m3");
    await until(() => received.length === 3);
    assert.deepEqual(received, ["one m1", "two m1", "two m3"]);
  });
}

test("with Redis unreachable, operations run in this process and are counted", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const metrics = createMetrics("lab", "test");
  await using shared = redisShared({
    url: `redis://127.0.0.1:${port}`,
    prefix: "firstlight:lab:",
    clock: systemClock,
    log,
    metrics,
  });
  const received: string[] = [];
  await using _subscription = await shared.subscribe("machines", (message) => received.push(message));
  assert.deepEqual([await shared.take("k", 0.001, 1), await shared.take("k", 0.001, 1)], [true, false]);
  await shared.publish("machines", "m1");
  await until(() => received.length === 1);
  const text = await metrics.getSingleMetricAsString("firstlight_redis_fallbacks_total");
  for (const step of [
    'operation="take",site="lab",daemon="test"} 2',
    'operation="publish",site="lab",daemon="test"} 1',
  ]) {
    assert.ok(text.includes(step), text);
  }
});

async function until(met: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !met(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(met(), "the condition was not met within 5 s");
}
