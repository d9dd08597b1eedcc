import { STEPS, type Detail, type MachineReport, type Step, type StepName } from "./timeline.ts";

const ROLE_NAMES: Readonly<Record<Step["role"], string>> = { host: "host", host_bmc: "bmc", dpu_oob: "dpu" };

/** Steps a reader of the console can do without; the report has them all. */
const QUIET: ReadonlySet<StepName> = new Set(["dhcp.start", "tftp.probe", "http.probe", "ipxe.echo", "dhcp.renewed"]);

/** What to say of a step, where its detail is more than its meaning. */
const SAY: Readonly<Partial<Record<StepName, (detail: Detail) => string>>> = {
  "power-on": ({ firmware }) => `has power: ${firmware}`,
  "dhcp.note": ({ note, because }) => `DHCP ${note}: ${because}`,
  "dhcp.bound": ({ address, name }) => `holds ${address}${name === undefined ? "" : ` as ${name}`}`,
  "tftp.fetched": ({ file, bytes }) => `fetched ${leaf(file)} over TFTP, ${bytes} bytes`,
  "http.fetched": ({ what, url, bytes }) => `fetched ${what} ${leaf(url)}, ${bytes} bytes`,
  "http.refused": ({ what, because }) => `was refused its ${what}: ${because}`,
  "http.retry": ({ because, waitMs }) => `asks again in ${waitMs} ms: ${because}`,
  "ipxe.script": ({ lines }) => `runs its boot script, ${lines} lines`,
  "ipxe.sleep": ({ ms }) => `waits ${ms} ms as its script says`,
  "os.boot": ({ kernel }) => `starts ${leaf(kernel)}`,
  "dns.resolved": ({ name }) => `finds ${name} in DNS, both ways`,
  "dns.retry": ({ because }) => `is not in DNS yet: ${because}`,
  "local-disk": ({ by }) => `boots its local disk (${by})`,
  "boot.retry": ({ because, waitMs }) => `starts over in ${waitMs} ms: ${because}`,
  ready: ({ runs }) => `is done: ${runs} runs`,
  failed: ({ in: where, because }) => `FAILED in ${where}: ${because}`,
};

const leaf = (path: string | number | undefined): string => String(path).split("/").at(-1)!;

/** One line for one step; `undefined` for the ones that only fill the screen. */
export function printStep({ machine, role, at, step, detail }: Step): string | undefined {
  if (QUIET.has(step)) return undefined;
  const text = SAY[step]?.(detail) ?? STEPS[step];
  return `${(at / 1000).toFixed(2).padStart(7)} s  ${machine.padEnd(8)} ${ROLE_NAMES[role].padEnd(4)} ${clean(text)}`;
}

/** One line for one machine, when it is done or will not be. */
export function printMachine({ name, done, ms, interfaces }: MachineReport): string {
  const each = interfaces.map(({ role, address, because, hangsIn }) =>
    address === undefined ? `${ROLE_NAMES[role]} hangs in ${hangsIn}: ${because}` : `${ROLE_NAMES[role]} ${address}`,
  );
  return `${done ? "up    " : "FAILED"}  ${name.padEnd(8)} ${(ms / 1000).toFixed(1).padStart(6)} s  ${clean(each.join(", "))}`;
}

/** Servers and scripts wrote some of it: no control characters on an operator's screen. */
function clean(text: string): string {
  return text.replaceAll(/[^\P{C}]/gu, "?");
}
