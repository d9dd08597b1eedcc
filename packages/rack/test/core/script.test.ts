import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as law, constantFrom, property, string } from "fast-check";
import { proceed, read, type Script, type Wish } from "../../src/core/script.ts";

const URL_ = "http://127.0.0.1:7080/t/0af7651916cd43dd8448eb211c80319c/boot.ipxe";
const SETTINGS = new Map([
  ["net0/mac", "02:f1:00:00:00:10"],
  ["buildarch", "x86_64"],
]);

function script(text: string): Script {
  const made = read(text, URL_, SETTINGS);
  assert.ok("lines" in made, "because" in made ? made.because : "");
  return made;
}

/** Runs to the end, each fetch and chain ending as told; all wishes in order. */
function run(text: string, outcome: (wish: Wish) => boolean = () => true): Wish[] {
  const all: Wish[] = [];
  let state = script(text);
  let ok = true;
  for (let turns = 0; turns < 50; turns++) {
    const [next, wishes] = proceed(state, ok);
    all.push(...wishes);
    const last = all.at(-1)!;
    if (["boot", "localDisk", "fail"].includes(last.do)) return all;
    [state, ok] = [next, outcome(last)];
  }
  return all;
}

test("kernel, initrd, boot: both are fetched, and the kernel gets its arguments", () => {
  const wishes = run(`#!ipxe
echo discovering \${net0/mac}
kernel --name vmlinuz discovery/\${buildarch}/vmlinuz initrd=initrd console=ttyS0 \\
  firstlight.url=http://127.0.0.1:7080
initrd --name initrd /artefacts/discovery/x86_64/initrd
boot
`);
  const kernel = {
    url: "http://127.0.0.1:7080/t/0af7651916cd43dd8448eb211c80319c/discovery/x86_64/vmlinuz",
    args: "initrd=initrd console=ttyS0 firstlight.url=http://127.0.0.1:7080",
  };
  const initrd = { url: "http://127.0.0.1:7080/artefacts/discovery/x86_64/initrd", args: "" };
  assert.deepEqual(wishes, [
    { do: "echo", text: "discovering 02:f1:00:00:00:10" },
    { do: "fetch", what: "kernel", url: kernel.url },
    { do: "fetch", what: "initrd", url: initrd.url },
    { do: "boot", kernel, initrds: [initrd] },
  ]);
});

const ENDS: readonly [string, string, Wish][] = [
  ["sanboot boots the local disk", "sanboot --no-describe --drive 0x80", { do: "localDisk", by: "sanboot" }],
  ["exit leaves iPXE for the next boot device", "exit", { do: "localDisk", by: "exit" }],
  ["a script that ends leaves iPXE too", "echo done", { do: "localDisk", by: "exit" }],
  ["boot without a kernel is a failed line", "boot", { do: "fail", because: "script failed at line 2: boot" }],
  [
    "a word every object has is no command",
    "constructor",
    { do: "fail", because: "iPXE has no command constructor here" },
  ],
  ["a command that is not there says so", "imgfetch x", { do: "fail", because: "iPXE has no command imgfetch here" }],
  ["a goto to nowhere is a failed line", "goto x", { do: "fail", because: "script failed at line 2: goto x" }],
  ["a script in circles is stopped", ":a\ngoto a", { do: "fail", because: "script runs in circles" }],
  ["iseq compares", "iseq ${buildarch} x86_64 && exit ||", { do: "localDisk", by: "exit" }],
  ["what is set is read", "set a b\niseq ${a} b || boot\nexit", { do: "localDisk", by: "exit" }],
  ["an unknown setting is empty", "isset ${nothing} && boot ||\nexit", { do: "localDisk", by: "exit" }],
];

for (const [title, body, end] of ENDS) {
  test(title, () => assert.deepEqual(run(`#!ipxe\n${body}`).at(-1), end));
}

test("wait and retry: it sleeps, then asks for its script again", () => {
  const wishes = run("#!ipxe\necho the site is busy\nsleep 5\nchain --replace --autofree boot.ipxe?try=2", () => false);
  assert.deepEqual(wishes.slice(0, 2), [
    { do: "echo", text: "the site is busy" },
    { do: "sleep", ms: 5000 },
  ]);
});

test("a chain is relative to the script's own URL", () => {
  const [, wishes] = proceed(script("#!ipxe\nchain boot.ipxe?try=2"));
  assert.deepEqual(wishes, [{ do: "chain", url: `${URL_}?try=2` }]);
});

test("what fails is caught by ||, and what is not caught ends the script at its line", () => {
  const caught = run("#!ipxe\nkernel a || goto away\nboot\n:away\nexit", () => false);
  assert.deepEqual(caught.at(-1), { do: "localDisk", by: "exit" });
  const uncaught = run("#!ipxe\n\nkernel a\nboot", () => false);
  assert.deepEqual(uncaught.at(-1), { do: "fail", because: "script failed at line 3: kernel a" });
});

test("what is no script is refused with a reason", () => {
  for (const [text, because] of [
    ["", /does not begin with #!ipxe/],
    ["<html>not found</html>", /does not begin with #!ipxe/],
    ["#!ipxely\nboot", /does not begin with #!ipxe/],
    [`#!ipxe\n${"#".repeat(70_000)}`, /longer than 64 KiB/],
  ] as const) {
    const made = read(text, URL_, SETTINGS);
    assert.match("because" in made ? made.because : "", because);
  }
});

test("any text ends in a wish within bounded steps", () => {
  const word = constantFrom(
    "echo",
    "kernel",
    "boot",
    "||",
    "&&",
    "goto",
    ":a",
    "a",
    "\n",
    "chain",
    "set",
    "${a}",
    "sleep",
    "-n",
  );
  law(
    property(array(word, { maxLength: 60 }), string(), (words, noise) => {
      for (const text of [words.join(" "), noise]) {
        const [, wishes] = proceed(script(`#!ipxe\n${text}`));
        assert.ok(wishes.length > 0 && wishes.length <= 1001);
      }
    }),
  );
});
