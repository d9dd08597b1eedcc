import type { Action, Decision } from "@firstlight/api-client";
import { isOneArgument, words } from "./ipxe-text.ts";
import { outcome, type Why } from "./reasons.ts";

/** What a script needs beyond its decision. */
export interface ScriptContext {
  /** `http://10.0.0.1:8080/t/TRACE`, without a final slash: everything the machine fetches next is below it. */
  readonly base: string;
  readonly mac: string;
  readonly waitSeconds: number;
  readonly kernelArguments: Readonly<Record<Image, readonly string[]>>;
}

export type Image = "discovery" | "cleanup" | "dpu";

/** A rendered script. `is` is `wait` also if the decision could not be put into a script. */
export interface Rendered {
  readonly is: Action;
  readonly text: string;
  /** The reason's code: of this package's table, or the API's for a decision. */
  readonly because: string;
}

const MOST_TENANT_CHARACTERS = 64 * 1024;

type Renderer = (decision: Decision, context: ScriptContext) => readonly string[] | Why;

/** Every action as iPXE lines. Add a row, not a branch. */
const ACTIONS: Readonly<Record<Action, Renderer>> = {
  discover: (decision, context) => system("discovery", decision, context),
  cleanup: (decision, context) => system("cleanup", decision, context),
  tenant,
  "local-disk": () => LOCAL_DISK,
  wait: whyOf,
};

/**
 * BIOS: iPXE itself starts the first disk. EFI: iPXE leaves with an error, upon which the firmware's boot manager goes on
 * to the next boot option, the disk's own; after a success it would show its menu (EDK2, BdsEntry.c, BootBootOptions).
 */
const LOCAL_DISK: readonly string[] = [
  "iseq ${platform} efi && goto efi ||",
  "sanboot --no-describe --drive 0x80 || echo Firstlight: there is no disk to boot from",
  "goto retry",
  ":efi",
  "exit 1",
];

/** The iPXE script of a decision. Pure. Text of the decision cannot become a command. */
export function render(decision: Decision, context: ScriptContext): Rendered {
  const { action, machineName } = decision;
  const why = whyOf(decision);
  const lines = ACTIONS[action](decision, context);
  if ("because" in lines) return renderWait(lines, context, machineName);
  const text = [...header(machineName, action, why), ...lines, ...retry(context)];
  return { is: action, text: joined(text), because: why.because };
}

/** A script that shows the reason, waits and asks again. It never exits silently: the console shows what it waits for. */
export function renderWait(
  why: Why,
  context: Pick<ScriptContext, "base" | "waitSeconds">,
  machineName = "unknown machine",
): Rendered {
  return { is: "wait", text: joined([...header(machineName, "wait", why), ...retry(context)]), because: why.because };
}

/** The API's reason for its decision. */
function whyOf({ reason, because }: Decision): Why {
  return { because: reason, sentence: because };
}

const joined = (lines: readonly string[]): string => `${lines.join("\n")}\n`;

function header(machineName: string, action: Action, { sentence }: Why): readonly string[] {
  return [
    "#!ipxe",
    `echo Firstlight: ${words(machineName)}`,
    `echo action: ${action}`,
    `echo because: ${words(sentence)}`,
  ];
}

/** Boots a kernel and an initrd. iPXE completes the file names, because it knows its architecture. */
function system(usual: Image, decision: Decision, { base, mac, kernelArguments }: ScriptContext): ReturnType<Renderer> {
  const { action, role, token } = decision;
  if (!isOneArgument(token)) return outcome("token-unusable");
  const image = role === "dpu_oob" ? "dpu" : usual;
  const folder = `${base}/artefacts/${image}/\${buildarch}`;
  const kernel = [
    `kernel --name vmlinuz ${folder}/vmlinuz`,
    "initrd=initrd", // EFI: the kernel's stub looks for the initrd under this name in iPXE's file system
    ...kernelArguments[image],
    `firstlight.url=${base}`,
    `firstlight.token=${token}`,
    `firstlight.action=${action}`,
    `ds=nocloud;s=${base}/cloud-init/`,
    `BOOTIF=01-${mac.replaceAll(":", "-")}`,
  ];
  return [
    "imgfree",
    `${kernel.join(" ")} || goto no_kernel`,
    `initrd --name initrd ${folder}/initrd || goto no_initrd`,
    "boot || goto no_boot",
    ":no_kernel",
    `echo Firstlight: missing ${image}/\${buildarch}/vmlinuz`,
    "goto retry",
    ":no_initrd",
    `echo Firstlight: missing ${image}/\${buildarch}/initrd`,
    "goto retry",
    ":no_boot",
    `echo Firstlight: ${image}/\${buildarch}/vmlinuz does not boot`,
  ];
}

/** The tenant's script, after settings that it may use. The script decides how it ends. */
function tenant({ script = "", token, machineName }: Decision, { base }: ScriptContext): ReturnType<Renderer> {
  if (script.trim() === "") return outcome("tenant-script-empty");
  if (script.length > MOST_TENANT_CHARACTERS) return outcome("tenant-script-too-long");
  if (!isOneArgument(token)) return outcome("token-unusable");
  return [
    `set base-url ${base}`,
    `set cloud-init ${base}/cloud-init/`,
    `set firstlight-token ${token}`,
    `set machine ${words(machineName)}`,
    ...script.replaceAll("\r\n", "\n").split("\n"),
    "", // a backslash at its end continues here and no further
    "exit",
  ];
}

function retry({ base, waitSeconds }: Pick<ScriptContext, "base" | "waitSeconds">): readonly string[] {
  return [
    ":retry",
    "imgfree",
    `echo Firstlight: asking again in ${waitSeconds} seconds`,
    `sleep ${waitSeconds}`,
    `chain --replace --autofree ${base}/boot.ipxe || goto retry`,
  ];
}
