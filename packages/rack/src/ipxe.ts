import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "./core/program.ts";
import { proceed, read, type Script, type Wish } from "./core/script.ts";
import { type Firmware, IPXE_AGENT, settingsOf } from "./firmware.ts";
import { type Http, openHttp } from "./http.ts";
import { BootFailed, type Line } from "./line.ts";

/** What takes over from iPXE; `stop` where the rack wants no more than the script. */
export type Ending = Extract<Wish, { do: "boot" | "localDisk" }> | { readonly do: "stop" };

const MOST_CHAINS = 1000;

/** Fetches the script its lease names and does what it says, until a kernel or the local disk takes over. */
export async function runIpxe(line: Line, firmware: Firmware, lease: Lease): Promise<Ending> {
  await using http = openHttp(line, lease.address, IPXE_AGENT);
  const settings = settingsOf(line, firmware, lease);
  let script = await load(line, http, lease.bootFile ?? "", settings);
  let isDone = true;
  for (let chains = 0; chains < MOST_CHAINS;) {
    const [next, wishes] = proceed(script, isDone);
    [script, isDone] = [next, true];
    for (const wish of wishes) {
      if (wish.do === "boot" || wish.do === "localDisk") return wish;
      if (wish.do === "fetch" && line.until === "script") return { do: "stop" };
      if (wish.do === "fail") throw new BootFailed(wish.because);
      if (wish.do === "chain") {
        chains++;
        const chained = await chain(line, http, wish.url, script.settings);
        if (chained) script = chained;
        else isDone = false; // the script's `||` may know better
      } else isDone = await DO[wish.do](line, http, wish as never);
    }
  }
  throw new BootFailed(`more than ${MOST_CHAINS} scripts chained`);
}

type Doer<W extends Wish["do"]> = (line: Line, http: Http, wish: Extract<Wish, { do: W }>) => Promise<boolean>;

const DO: { readonly [W in "echo" | "sleep" | "fetch"]: Doer<W> } = {
  async echo(line, _http, { text }) {
    line.tell("ipxe.echo", { text });
    return true;
  },
  async sleep(line, _http, { ms }) {
    line.tell("ipxe.sleep", { ms });
    await sleep(ms, undefined, { signal: line.signal });
    return true;
  },
  async fetch(line, http, { what, url }) {
    try {
      line.tell("http.fetched", { what, url, bytes: await http.get(url) });
      return true;
    } catch (fault) {
      if (!(fault instanceof BootFailed)) throw fault;
      line.tell("http.refused", { what, url, because: fault.message }); // the script's `||` may know better
      return false;
    }
  },
};

async function chain(
  line: Line,
  http: Http,
  url: string,
  settings: ReadonlyMap<string, string>,
): Promise<Script | undefined> {
  try {
    return await load(line, http, url, settings);
  } catch (fault) {
    if (!(fault instanceof BootFailed)) throw fault;
    line.tell("http.refused", { what: "script", url, because: fault.message });
    return undefined;
  }
}

async function load(line: Line, http: Http, url: string, settings: ReadonlyMap<string, string>): Promise<Script> {
  const script = read(await http.text(url), url, settings);
  if (!("lines" in script)) throw new BootFailed(`${url}: ${script.because}`);
  line.tell("ipxe.script", { url, lines: script.lines.length });
  return script;
}
