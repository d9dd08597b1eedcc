import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "./core/program.ts";
import { proceed, read, type Script, type Wish } from "./core/script.ts";
import { type Firmware, IPXE_AGENT, settingsOf } from "./firmware.ts";
import { type Http, openHttp } from "./http.ts";
import { BootFailed, type Nic } from "./nic.ts";

/** What takes over from iPXE; `stop` where the rack wants no more than the script. */
export type Ending = Extract<Wish, { do: "boot" | "localDisk" }> | { readonly do: "stop" };

const MOST_CHAINS = 1000;

/** Fetches the script its lease names and does what it says, until a kernel or the local disk takes over. */
export async function runIpxe(nic: Nic, firmware: Firmware, lease: Lease): Promise<Ending> {
  await using http = openHttp(nic, lease.address, IPXE_AGENT);
  const settings = settingsOf(nic, firmware, lease);
  let script = await load(nic, http, lease.bootFile ?? "", settings);
  let isDone = true;
  for (let chains = 0; chains < MOST_CHAINS;) {
    const [next, wishes] = proceed(script, isDone);
    [script, isDone] = [next, true];
    for (const wish of wishes) {
      if (wish.do === "boot" || wish.do === "localDisk") return wish;
      if (wish.do === "fetch" && nic.until === "script") return { do: "stop" };
      if (wish.do === "fail") throw new BootFailed(wish.because);
      if (wish.do === "chain") {
        chains++;
        const chained = await chain(nic, http, wish.url, script.settings);
        if (chained) script = chained;
        else isDone = false; // the script's `||` may know better
      } else isDone = await DO[wish.do](nic, http, wish as never);
    }
  }
  throw new BootFailed(`more than ${MOST_CHAINS} scripts chained`);
}

type Doer<W extends Wish["do"]> = (nic: Nic, http: Http, wish: Extract<Wish, { do: W }>) => Promise<boolean>;

const DO: { readonly [W in "echo" | "sleep" | "fetch"]: Doer<W> } = {
  async echo(nic, _http, { text }) {
    nic.record("ipxe.echo", { text });
    return true;
  },
  async sleep(nic, _http, { ms }) {
    nic.record("ipxe.sleep", { ms });
    await sleep(ms, undefined, { signal: nic.signal });
    return true;
  },
  async fetch(nic, http, { what, url }) {
    try {
      nic.record("http.fetched", { what, url, bytes: await http.get(url) });
      return true;
    } catch (fault) {
      if (!(fault instanceof BootFailed)) throw fault;
      nic.record("http.refused", { what, url, because: fault.message }); // the script's `||` may know better
      return false;
    }
  },
};

async function chain(
  nic: Nic,
  http: Http,
  url: string,
  settings: ReadonlyMap<string, string>,
): Promise<Script | undefined> {
  try {
    return await load(nic, http, url, settings);
  } catch (fault) {
    if (!(fault instanceof BootFailed)) throw fault;
    nic.record("http.refused", { what: "script", url, because: fault.message });
    return undefined;
  }
}

async function load(nic: Nic, http: Http, url: string, settings: ReadonlyMap<string, string>): Promise<Script> {
  const script = read(await http.text(url), url, settings);
  if (!("lines" in script)) throw new BootFailed(`${url}: ${script.because}`);
  nic.record("ipxe.script", { url, lines: script.lines.length });
  return script;
}
