import assert from "node:assert/strict";
import test from "node:test";
import { linesOf } from "../flame/perf.ts";
import { fold, type Profile } from "../flame/profile.ts";
import { labelOf, originOf, selfBy } from "../flame/origin.ts";
import { svgOf } from "../flame/svg.ts";

const WHOLE = { fromUs: 0, toUs: 1e9 };

/** A daemon that decides (300 µs), asks the database (100 µs), is idle (500 µs) and collects garbage (100 µs). */
function profile(change: Partial<Profile> = {}): Profile {
  return {
    nodes: [
      call(1, "(root)", "", [2, 5, 6]),
      call(2, "receive", "file:///srv/packages/dhcpd/src/server.ts", [3, 4]),
      call(3, "decide", "file:///srv/packages/dhcpd/src/decide.ts"),
      call(4, "query", "file:///srv/node_modules/.pnpm/pg@8/node_modules/pg/lib/client.js"),
      call(5, "(idle)", ""),
      call(6, "(garbage collector)", ""),
    ],
    startTime: 1000,
    samples: [3, 3, 3, 4, 5, 6],
    timeDeltas: [0, 100, 100, 100, 100, 500, 100],
    ...change,
  };
}

const call = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
  children,
});

test("own and total times are added up from samples, without idle time", () => {
  const root = fold(profile(), WHOLE);
  assert.equal(root.totalUs, 500);
  assert.deepEqual(selfBy(root, labelOf), [
    ["decide dhcpd/decide.ts:10", 300],
    ["query pg/client.js:10", 100],
    ["(garbage collector)", 100],
  ]);
  assert.equal([...root.callees.values()].find(({ name }) => name === "receive")?.totalUs, 400);
});

test("samples outside of the window do not count", () => {
  assert.equal(fold(profile(), { fromUs: 0, toUs: 999 }).totalUs, 0);
  assert.equal(fold(profile(), { fromUs: 1250, toUs: 1e9 }).totalUs, 200);
});

test("several profiles are added up in one tree", () => {
  const root = fold(profile(), WHOLE, fold(profile(), WHOLE));
  assert.equal(root.totalUs, 1000);
  assert.equal(root.callees.size, 2);
});

test("own time is summed by the function's origin", () => {
  assert.deepEqual(selfBy(fold(profile(), WHOLE), originOf), [
    ["dhcpd", 300],
    ["library", 100],
    ["garbage", 100],
  ]);
  assert.equal(originOf({ name: "writev", url: "" }), "native");
  assert.equal(originOf({ name: "emit", url: "node:events" }), "node");
});

test("a picture is self-contained and leaves out frames below 0.3 %", () => {
  const nodes = profile().nodes.map((node) =>
    node.id === 4 ? { ...node, callFrame: { ...node.callFrame, functionName: "<tiny>" } } : node,
  );
  const drawn = svgOf(fold(profile({ nodes }), WHOLE), "dhcpd & its <load>");
  assert.match(drawn, /dhcpd &amp; its &lt;load&gt;/);
  assert.match(drawn, /<title>decide dhcpd\/decide\.ts:10: 60\.0 %, own 60\.0 %<\/title>/);
  assert.match(drawn, /&lt;tiny&gt;/);
  assert.doesNotMatch(drawn.replace('xmlns="http://www.w3.org/2000/svg"', ""), /https?:|<script/);
  const narrow = svgOf(fold(profile({ nodes, timeDeltas: [0, 1e6, 100, 100, 1, 500, 100] }), WHOLE), "dhcpd");
  assert.doesNotMatch(narrow, /tiny/);
});

test("perf's report is added up by thread and object, without rows below 1 %", () => {
  const report = `# Overhead  Command     Shared Object
    40.10%|firstlight: dnsd|[kernel.kallsyms]
    20.20%|firstlight: dnsd|[JIT] tid 4711
     3.30%|firstlight: dnsd|[JIT] tid 4712
    30.00%|postgres        |postgres
     1.50% |v8:ProfEvntProc |[kernel.kallsyms]
     0.90%|postgres        |libc.so.6
`;
  assert.deepEqual(linesOf(report), [
    " 40.1 %  firstlight: dnsd, kernel",
    " 30.0 %  postgres, postgres",
    " 23.5 %  firstlight: dnsd, compiled JavaScript",
    "  1.5 %  the profiler itself",
  ]);
  assert.deepEqual(linesOf("nothing"), []);
});
