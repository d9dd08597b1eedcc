import { runPinned } from "../harness/process.ts";
import { inClientNamespace, SERVER } from "./link.ts";

/** The result of one run of perfdhcp at one rate. */
export interface Run {
  /** DISCOVERs sent, REQUESTs sent, and ACKs received. */
  readonly discovers: number;
  readonly requests: number;
  readonly acks: number;
  /** Mean delay of an OFFER and of an ACK, milliseconds. */
  readonly offerMs: number;
  readonly ackMs: number;
}

/**
 * One run: a relay whose every exchange is by another client, `rate` exchanges per second. Each `series` has hardware addresses
 * of its own. perfdhcp waits one second at the end, because it counts unfinished exchanges as lost. Throws with perfdhcp's error.
 */
export async function perfdhcp(core: number, rate: number, seconds: number, series: number): Promise<Run> {
  const base = `mac=00:${[0x0c + (series >> 8), series & 255, 0, 0, 0].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`;
  const options = [
    "-4",
    "-b",
    base,
    "-R",
    "4000000",
    "-r",
    String(Math.round(rate)),
    "-p",
    String(seconds),
    "-l",
    "eth0",
  ];
  const [command, args] = inClientNamespace("perfdhcp", ...options, "-W", "1000000", SERVER);
  const { stdout, stderr } = await runPinned(core, command, args, { timeoutMs: (seconds + 20) * 1000 });
  const [offers, acks] = stdout.split(/Statistics for: /).slice(1);
  if (offers === undefined || acks === undefined) throw new Error(`perfdhcp: ${(stderr || stdout).trim().slice(-300)}`);
  return {
    discovers: field(offers, "sent packets"),
    requests: field(acks, "sent packets"),
    acks: field(acks, "received packets"),
    offerMs: field(offers, "avg delay"),
    ackMs: field(acks, "avg delay"),
  };
}

function field(text: string, name: string): number {
  const found = Number(new RegExp(`${name}: ([\\d.]+)`).exec(text)?.[1]);
  return Number.isFinite(found) ? found : 0;
}
