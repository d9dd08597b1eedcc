import assert from "node:assert/strict";
import { test } from "node:test";
import { News } from "../src/index.ts";

const LONG_MS = 600_000;

test("news ends a wait, and what is told between two waits ends the next one, once", async () => {
  const news = new News();
  const waiting = news.wait(LONG_MS);
  news.tell();
  await waiting;
  news.tell();
  news.tell();
  await news.wait(LONG_MS);
  let isOver = false;
  const next = news.wait(LONG_MS).then(() => (isOver = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isOver, false);
  news.tell();
  await next;
});

test("without news the time ends it", async () => {
  await new News().wait(1);
});
