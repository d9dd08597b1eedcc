import { type Lease, type Program, PROGRAMS } from "./core/program.ts";
import { download } from "./download.ts";
import type { Firmware } from "./firmware.ts";
import { openHttp } from "./http.ts";
import { type Ending, runIpxe } from "./ipxe.ts";
import { obtain } from "./lease.ts";
import { BootFailed, type Nic } from "./nic.ts";
import { resolveSelf } from "./resolve.ts";

/** Where a boot ended: what runs now, and the lease it has to keep. */
export interface Booted {
  readonly runs: "bmc" | "boot script" | "system" | "local disk";
  readonly program: Program;
  readonly lease: Lease;
  readonly name?: string;
}

/** A BMC: an address and a name, nothing to load. */
export async function bootBmc(nic: Nic, program: Program): Promise<Booted> {
  const lease = await obtain(nic, program);
  const name = nameOf(lease);
  await resolveSelf(nic, lease.address, name);
  return { runs: "bmc", program, lease, name };
}

/** A host or DPU, from its firmware to whatever its script says. */
export async function bootNetwork(nic: Nic, firmware: Firmware): Promise<Booted> {
  nic.record("power-on", { firmware: firmware.name });
  if (firmware.rom) await loadIpxe(nic, firmware.rom, firmware.romAgent);
  const lease = await obtain(nic, firmware.ipxe);
  const ending = await runIpxe(nic, firmware, lease);
  if (ending.do === "boot") return bootSystem(nic, ending);
  if (ending.do === "stop") return { runs: "boot script", program: firmware.ipxe, lease };
  nic.record("local-disk", { by: ending.by });
  return { runs: "local disk", program: firmware.ipxe, lease };
}

async function loadIpxe(nic: Nic, rom: Program, agent: string | undefined): Promise<void> {
  const { address, bootFile = "", nextServer } = await obtain(nic, rom);
  if (rom.boots === "tftp") return void (await download(nic, address, nextServer, bootFile));
  await using http = openHttp(nic, address, agent ?? rom.name);
  const announced = await http.head(bootFile);
  nic.record("http.probe", { url: bootFile, bytes: announced });
  const bytes = await http.get(bootFile);
  if (bytes !== announced) throw new BootFailed(`${bootFile}: HEAD said ${announced} bytes, GET gave ${bytes}`);
  nic.record("http.fetched", { what: "iPXE", url: bootFile, bytes });
}

/** The system in the initrd: its own DHCP, its name, cloud-init, and word to the site that it is up. */
async function bootSystem(nic: Nic, { kernel, initrds }: Extract<Ending, { do: "boot" }>): Promise<Booted> {
  nic.record("os.boot", { kernel: kernel.url, initrds: initrds.length });
  const args = argumentsOf(kernel.args);
  const lease = await obtain(nic, PROGRAMS.linux);
  const name = nameOf(lease);
  await resolveSelf(nic, lease.address, name);
  await using http = openHttp(nic, lease.address, "curl/7.88.1");
  const seed = /^nocloud;s=(.*)$/.exec(args.get("ds") ?? "")?.[1];
  if (seed !== undefined) {
    for (const file of ["meta-data", "user-data"]) {
      nic.record("http.fetched", { what: "cloud-init", url: seed + file, bytes: await http.get(seed + file) });
    }
  }
  const [url, token] = [args.get("firstlight.url"), args.get("firstlight.token")];
  if (url === undefined || token === undefined)
    throw new BootFailed("kernel command line has no firstlight.url and token");
  await http.post(`${url}/phone-home`, {
    token,
    hostname: name,
    serial: nic.serial,
    action: args.get("firstlight.action") ?? "",
  });
  nic.record("phone-home", { name });
  return { runs: "system", program: PROGRAMS.linux, lease, name };
}

function argumentsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\s+/).map((word) => {
      const at = word.indexOf("=");
      return at < 0 ? [word, ""] : [word.slice(0, at), word.slice(at + 1).replaceAll('"', "")];
    }),
  );
}

function nameOf({ hostName, domainName }: Lease): string {
  if (hostName === undefined || domainName === undefined)
    throw new BootFailed("ACK without options 12 and 15: no name to look up");
  return `${hostName}.${domainName}`;
}
