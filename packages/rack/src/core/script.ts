/**
 * An iPXE script, as far as a network boot's scripts go: `step` runs commands until one needs the world, the shell does
 * it and says how it ended. A `||` or `&&` sees that outcome as iPXE's shell does.
 */
export interface Script {
  readonly url: string;
  readonly lines: readonly string[];
  readonly at: number;
  readonly rest: readonly Command[];
  readonly settings: ReadonlyMap<string, string>;
  readonly kernel?: Image;
  readonly initrds: readonly Image[];
  readonly steps: number;
}

export interface Image {
  readonly url: string;
  readonly args: string;
}

/** What the script wants done. All but `echo` end a run until the shell answers with `proceed`. */
export type Wish =
  | { readonly do: "echo"; readonly text: string }
  | { readonly do: "fetch"; readonly what: "kernel" | "initrd"; readonly url: string }
  | { readonly do: "chain"; readonly url: string }
  | { readonly do: "sleep"; readonly ms: number }
  | { readonly do: "boot"; readonly kernel: Image; readonly initrds: readonly Image[] }
  | { readonly do: "localDisk"; readonly by: "sanboot" | "exit" }
  | { readonly do: "fail"; readonly because: string };

interface Command {
  readonly words: readonly string[];
  /** Runs only if the command before it failed (`||`) or succeeded (`&&`). */
  readonly after: "" | "||" | "&&";
}

const MOST_STEPS = 1000; // a script that jumps for ever
const MOST_BYTES = 65_536;

/** The script behind a URL, with the settings iPXE has: `net0/mac`, `buildarch`, `platform`. */
export function read(
  text: string,
  url: string,
  settings: ReadonlyMap<string, string>,
): Script | { readonly because: string } {
  if (text.length > MOST_BYTES) return { because: "script longer than 64 KiB" };
  if (!/^#!ipxe\s/.test(`${text}\n`)) return { because: "not an iPXE script: it does not begin with #!ipxe" };
  const lines = text.replaceAll(/\\\r?\n/g, "").split(/\r?\n/);
  return { url, lines, at: 0, rest: [], settings, initrds: [], steps: 0 };
}

/** Runs on. `ok` is how the last wish ended. */
export function proceed(script: Script, ok = true): [Script, Wish[]] {
  const wishes: Wish[] = [];
  let [state, success] = [script, ok];
  while (state.steps < MOST_STEPS) {
    const [command, ...rest] = state.rest;
    state = { ...state, steps: state.steps + 1 };
    if (command) {
      state = { ...state, rest };
      if (command.after === "||" ? success : command.after === "&&" && !success) continue;
      const did = run(state, command.words);
      state = did.script ?? state;
      success = did.ok;
      if (did.wish) wishes.push(did.wish);
      if (did.wish && did.wish.do !== "echo") return [state, wishes];
      continue;
    }
    // a failed line without `||` ends the script, and with it the network boot
    if (!success)
      return [state, [...wishes, fail(`script failed at line ${state.at}: ${state.lines[state.at - 1] ?? ""}`)]];
    if (state.at >= state.lines.length) return [state, [...wishes, { do: "localDisk", by: "exit" }]];
    state = { ...state, at: state.at + 1, rest: commands(state.lines[state.at]!) };
  }
  return [state, [...wishes, fail("script runs in circles")]];
}

const fail = (because: string): Wish => ({ do: "fail", because });

function commands(line: string): Command[] {
  const text = line.trim();
  if (text === "" || text.startsWith("#") || text.startsWith(":")) return [];
  const list: { after: Command["after"]; words: string[] }[] = [{ after: "", words: [] }];
  for (const word of text.split(/\s+/)) {
    if (word === "||" || word === "&&") list.push({ after: word, words: [] });
    else list.at(-1)!.words.push(word);
  }
  return list;
}

interface Did {
  readonly ok: boolean;
  readonly script?: Script;
  readonly wish?: Wish;
}

function run(script: Script, raw: readonly string[]): Did {
  const [name = "", ...words] = raw.map((word) => expand(word, script.settings));
  if (name === "") return { ok: true }; // `command ||` forgives
  if (!Object.hasOwn(COMMANDS, name)) return { ok: false, wish: fail(`iPXE has no command ${name} here`) };
  return COMMANDS[name]!(script, words);
}

const COMMANDS: Readonly<Record<string, (script: Script, words: readonly string[]) => Did>> = {
  echo: (_, words) => ({ ok: true, wish: { do: "echo", text: words.join(" ") } }),
  set: (script, [name = "", ...value]) => ({ ok: true, script: withSetting(script, name, value.join(" ")) }),
  clear: (script, [name = ""]) => ({ ok: true, script: withSetting(script, name, "") }),
  isset: (_, [value = ""]) => ({ ok: value !== "" }),
  iseq: (_, [left, right]) => ({ ok: left === right }),
  dhcp: () => ({ ok: true }), // it has its lease
  ifopen: () => ({ ok: true }),
  imgfree: (script) => {
    const { kernel: _, ...rest } = script;
    return { ok: true, script: { ...rest, initrds: [] } };
  },
  kernel: (script, words) => image(script, words, (loaded) => ({ ...script, kernel: loaded }), "kernel"),
  initrd: (script, words) =>
    image(script, words, (loaded) => ({ ...script, initrds: [...script.initrds, loaded] }), "initrd"),
  imgargs: (script, [, ...args]) =>
    script.kernel
      ? { ok: true, script: { ...script, kernel: { ...script.kernel, args: args.join(" ") } } }
      : { ok: false },
  boot: ({ kernel, initrds }) => (kernel ? { ok: true, wish: { do: "boot", kernel, initrds } } : { ok: false }),
  chain: (script, words) => ({ ok: true, wish: { do: "chain", url: absolute(plain(words)[0] ?? "", script) } }),
  sleep: (_, [seconds]) => ({ ok: true, wish: { do: "sleep", ms: Math.min(3600, Number(seconds) || 0) * 1000 } }),
  sanboot: () => ({ ok: true, wish: { do: "localDisk", by: "sanboot" } }),
  exit: () => ({ ok: true, wish: { do: "localDisk", by: "exit" } }),
  goto: (script, [label]) => {
    const at = script.lines.findIndex((line) => line.trim() === `:${label}`);
    return at < 0 ? { ok: false } : { ok: true, script: { ...script, at: at + 1, rest: [] } };
  },
};

function withSetting(script: Script, name: string, value: string): Script {
  return { ...script, settings: new Map(script.settings).set(name, value) };
}

function image(
  script: Script,
  words: readonly string[],
  put: (image: Image) => Script,
  what: "kernel" | "initrd",
): Did {
  const [target, ...args] = plain(words);
  if (target === undefined) return { ok: false };
  const url = absolute(target, script);
  return { ok: true, script: put({ url, args: args.join(" ") }), wish: { do: "fetch", what, url } };
}

/** Words without iPXE's own options before the first operand: `--name vmlinuz`, `-n x`, `--autofree`. */
function plain(words: readonly string[]): readonly string[] {
  let at = 0;
  while (words[at]?.startsWith("-")) at += /^(-n|--name|-t|--timeout)$/.test(words[at]!) ? 2 : 1;
  return words.slice(at);
}

/** `${name}`, with `:hexhyp` and the like for a MAC; unknown ones are empty, as in iPXE. */
function expand(word: string, settings: ReadonlyMap<string, string>): string {
  return word.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => {
    const [key = "", type] = name.split(":");
    const value = settings.get(key) ?? "";
    return type === "hexhyp" ? value.replaceAll(":", "-") : value;
  });
}

function absolute(target: string, { url }: Script): string {
  return URL.canParse(target, url) ? new URL(target, url).href : target;
}
