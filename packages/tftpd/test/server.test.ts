import assert from "node:assert/strict";
import { test } from "node:test";
import { LAB } from "@firstlight/kit";
import { fetch, lab, LEASED, type Fetched, until } from "./site.ts";

/** Bytes of which no two blocks are alike. */
const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const TRACE = "0123456789abcdef0123456789abcdef";

function got(result: Awaited<ReturnType<typeof fetch>>): Fetched {
  assert.ok("bytes" in result, JSON.stringify(result));
  return result;
}

for (const age of ["old", undefined] as const) {
  const where = age === "old" ? "from memory" : "from disk";
  test(`files of every awkward length arrive whole, with and without options, ${where}`, async () => {
    await using on = await lab();
    for (const length of [0, 1, 511, 512, 513, 1468, 100_000]) {
      await on.put("file", content(length), age);
      for (const asked of [{}, { blksize: "1468", windowsize: "8", tsize: "0" }]) {
        await using client = await on.client();
        const { bytes, options } = got(await fetch(client, "file", asked));
        assert.deepEqual(Buffer.from(bytes), Buffer.from(content(length)));
        assert.equal(options.get("tsize"), "tsize" in asked ? String(length) : undefined);
      }
    }
  });
}

test("a boot's fetch is told with the machine's MAC and the trace of its name", async () => {
  await using on = await lab();
  await on.put("snponly.efi", content(3000));
  await using client = await on.client(LEASED);
  const { bytes } = got(await fetch(client, `/t/${TRACE}/snponly.efi`, { blksize: "1468", windowsize: "4" }));
  assert.equal(bytes.length, 3000);
  await until(() => on.reporter.of("tftp.end").length === 1);
  const [start, end] = [on.reporter.of("tftp.start")[0], on.reporter.of("tftp.end")[0]];
  const common = { mac: LAB.mac, address: LEASED, trace: TRACE };
  assert.deepEqual(start, {
    kind: "tftp.start",
    ...common,
    detail: { file: "snponly.efi", bytes: "3000", blksize: "1468", windowsize: "4" },
  });
  assert.deepEqual(
    { ...end, detail: { ...end?.detail, ms: "" } },
    {
      kind: "tftp.end",
      ...common,
      because: "sent",
      detail: { file: "snponly.efi", bytes: "3000", resent: "0", ms: "" },
    },
  );
});
