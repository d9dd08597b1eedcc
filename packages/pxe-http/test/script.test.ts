import assert from "node:assert/strict";
import test from "node:test";
import type { Action, Decision } from "@firstlight/api-client";
import { decision } from "@firstlight/kit";
import * as fc from "fast-check";
import { render, renderWait, type ScriptContext } from "../src/script.ts";

const MAC = "02:f1:00:00:00:01";

const CONTEXT: ScriptContext = {
  base: "http://10.0.0.1:8080/t/0af7651916cd43dd8448eb211c80319c",
  mac: MAC,
  waitSeconds: 5,
  kernelArguments: { discovery: ["console=ttyS0"], cleanup: ["console=ttyS0"], dpu: ["console=ttyAMA0"] },
};

const RETRY = `:retry
imgfree
echo Firstlight: asking again in 5 seconds
sleep 5
chain --replace --autofree ${CONTEXT.base}/boot.ipxe || goto retry
`;

function text(set: Partial<Decision>): string {
  return render(decision(MAC, { machineName: "node-1", because: "node-1 is new", token: "T0ken", ...set }), CONTEXT)
    .text;
}

/** Lines that begin with a word, without it. */
function linesOf(script: string, command: string): string[] {
  return script.split("\n").filter((line) => line.startsWith(`${command} `));
}

test("discover: a kernel with its arguments and an initrd, by iPXE's own architecture; what is missing is said and retried", () => {
  assert.equal(
    text({ action: "discover" }),
    `#!ipxe
echo Firstlight: node-1
echo action: discover
echo because: node-1 is new
imgfree
kernel --name vmlinuz ${CONTEXT.base}/artefacts/discovery/\${buildarch}/vmlinuz initrd=initrd console=ttyS0 firstlight.url=${CONTEXT.base} firstlight.token=T0ken firstlight.action=discover ds=nocloud;s=${CONTEXT.base}/cloud-init/ BOOTIF=01-02-f1-00-00-00-01 || goto no_kernel
initrd --name initrd ${CONTEXT.base}/artefacts/discovery/\${buildarch}/initrd || goto no_initrd
boot || goto no_boot
:no_kernel
echo Firstlight: missing discovery/\${buildarch}/vmlinuz
goto retry
:no_initrd
echo Firstlight: missing discovery/\${buildarch}/initrd
goto retry
:no_boot
echo Firstlight: discovery/\${buildarch}/vmlinuz does not boot
${RETRY}`,
  );
});

test("cleanup boots its own image, and a DPU's image is the DPU's", () => {
  assert.match(
    text({ action: "cleanup" }),
    /artefacts\/cleanup\/\$\{buildarch\}\/vmlinuz .* firstlight\.action=cleanup /,
  );
  assert.match(text({ role: "dpu_oob" }), /artefacts\/dpu\/\$\{buildarch\}\/vmlinuz initrd=initrd console=ttyAMA0 /);
});

test("local-disk: BIOS starts the first disk, EFI leaves with an error so that the next boot option is tried", () => {
  assert.equal(
    text({ action: "local-disk", because: "it is in order" }),
    `#!ipxe
echo Firstlight: node-1
echo action: local-disk
echo because: it is in order
iseq \${platform} efi && goto efi ||
sanboot --no-describe --drive 0x80 || echo Firstlight: there is no disk to boot from
goto retry
:efi
exit 1
${RETRY}`,
  );
});

test("tenant: its own words after the settings it may use", () => {
  assert.equal(
    text({ action: "tenant", because: "it belongs to a tenant", script: "#!ipxe\r\nkernel ${base-url}/k\r\nboot\r\n" }),
    `#!ipxe
echo Firstlight: node-1
echo action: tenant
echo because: it belongs to a tenant
set base-url ${CONTEXT.base}
set cloud-init ${CONTEXT.base}/cloud-init/
set firstlight-token T0ken
set machine node-1
#!ipxe
kernel \${base-url}/k
boot


exit
${RETRY}`,
  );
});

test("wait: why, how long, and the same question again", () => {
  assert.equal(
    renderWait({ because: "api-away", sentence: "the API is away" }, CONTEXT).text,
    `#!ipxe
echo Firstlight: unknown machine
echo action: wait
echo because: the API is away
${RETRY}`,
  );
});

test("what cannot be put into a script is a wait with its reason", () => {
  const rows: readonly [Partial<Decision>, string][] = [
    [{ action: "tenant" }, "tenant-script-empty"],
    [{ action: "tenant", script: "x".repeat(70_000) }, "tenant-script-too-long"],
    [{ token: "two words" }, "token-unusable"],
    [{ token: "" }, "token-unusable"],
    [{ action: "wait", reason: "role-boots-nothing", because: "a host_bmc boots nothing" }, "role-boots-nothing"],
  ];
  for (const [set, because] of rows) {
    const rendered = render(decision(MAC, set), CONTEXT);
    assert.equal(rendered.is, "wait");
    assert.equal(rendered.because, because);
    assert.ok(rendered.text.endsWith(RETRY));
  }
});

const hostile = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "a\nchain http://evil/",
    "x || reboot",
    "${net0/mac}",
    "a\\",
    "\r\nexit",
    "# x",
    "; exit",
    '"',
    "\u2028exit",
  ),
);

/** A script without the three lines that show words. */
const rest = (script: string): string[] => script.split("\n").toSpliced(1, 3);

test("no name, reason, role or token changes a script but for the words it shows", () => {
  const actions = fc.constantFrom<Action>("discover", "cleanup", "local-disk", "wait");
  fc.assert(
    fc.property(actions, hostile, hostile, hostile, hostile, (action, machineName, because, role, token) => {
      const script = text({ action, machineName, because, role, token });
      const shown = linesOf(script, "echo").slice(0, 3);
      assert.deepEqual(
        shown.map((line) => /^echo (Firstlight|action|because): [A-Za-z0-9 .,:_/()@+=*?-]*$/.test(line)),
        [true, true, true],
      );
      const waits = shown[1] === "echo action: wait";
      const benign = waits ? text({ action: "wait" }) : text({ action, ...(role === "dpu_oob" && { role }), token });
      assert.deepEqual(rest(script), rest(benign));
      if (!waits && action !== "local-disk") assert.ok(/^[^\s|;#"\\$]+$/.test(token));
    }),
    { numRuns: 500 },
  );
});

test("a tenant's script begins after the settings and cannot change them", () => {
  fc.assert(
    fc.property(hostile, hostile, (script, machineName) => {
      const lines = text({ action: "tenant", script, machineName }).split("\n");
      if (lines[2] === "echo action: wait") return;
      assert.deepEqual(lines.slice(4, 7), [
        `set base-url ${CONTEXT.base}`,
        `set cloud-init ${CONTEXT.base}/cloud-init/`,
        "set firstlight-token T0ken",
      ]);
      assert.match(lines[7]!, /^set machine [A-Za-z0-9 .,:_/()@+=*?-]*$/);
    }),
  );
});
