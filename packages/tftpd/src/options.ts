import { DEFAULT_BLOCK_BYTES, type Options } from "@firstlight/wire/tftp";

/** What the site allows; a client that asks for more is offered this. */
export interface OptionLimits {
  readonly blockBytes: number;
  readonly windowBlocks: number;
}

/** The agreed parameters of a transfer. `options` go into the OACK; empty: no OACK, DATA at once (RFC 2347). */
export interface Agreement {
  readonly blockBytes: number;
  readonly windowBlocks: number;
  readonly timeoutMs?: number;
  readonly options: Options;
}

/** Every supported option: how its value is agreed and what it changes. An option without a value is left out of the OACK. */
const OPTIONS: Readonly<Record<string, (asked: number, limits: OptionLimits, bytes: number) => Granted | undefined>> = {
  // RFC 2348: 8 to 65464; the server may answer less.
  blksize: (asked, limits) => {
    if (asked < 8 || asked > 65_464) return undefined;
    const blockBytes = Math.min(asked, limits.blockBytes);
    return { value: blockBytes, blockBytes };
  },
  // RFC 2349 §3: 0 asks for the size; a read answers with it whatever was sent.
  tsize: (_asked, _limits, bytes) => ({ value: bytes }),
  // RFC 2349 §2: 1 to 255 seconds, agreed as asked or not at all.
  timeout: (asked) => (asked < 1 || asked > 255 ? undefined : { value: asked, timeoutMs: asked * 1000 }),
  // RFC 7440 §3: 1 to 65535 blocks; the server may answer less.
  windowsize: (asked, limits) => {
    if (asked < 1 || asked > 65_535) return undefined;
    const windowBlocks = Math.min(asked, limits.windowBlocks);
    return { value: windowBlocks, windowBlocks };
  },
};

interface Granted {
  readonly value: number;
  readonly blockBytes?: number;
  readonly windowBlocks?: number;
  readonly timeoutMs?: number;
}

/** Agrees on what was asked for, in the order asked, and on nothing else (RFC 2347). Never refuses a transfer. */
export function negotiate(asked: Options, limits: OptionLimits, bytes: number): Agreement {
  const options = new Map<string, string>();
  let agreed: Omit<Agreement, "options"> = { blockBytes: DEFAULT_BLOCK_BYTES, windowBlocks: 1 };
  for (const [name, text] of asked) {
    const grant = Object.hasOwn(OPTIONS, name) && /^\d{1,10}$/.test(text) ? OPTIONS[name] : undefined;
    const granted = grant?.(Number(text), limits, bytes);
    if (!granted) continue;
    const { value, ...changes } = granted;
    options.set(name, String(value));
    agreed = { ...agreed, ...changes };
  }
  return { ...agreed, options };
}
