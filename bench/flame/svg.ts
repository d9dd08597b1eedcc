import type { Frame } from "./profile.ts";
import { labelOf, roomOf, selfBy } from "./rooms.ts";

const WIDTH = 1200;
const ROW = 17;
const HEAD = 64;
const LETTER = 6.1;
/** A frame narrower than this share of the whole is left out. */
const LEAST = 0.003;

/** Our rooms are warm, what is below us is cold: one sees at once whose time it is. */
const COLOURS: Readonly<Record<string, string>> = {
  wire: "#f6c445",
  datagram: "#f29e4c",
  ipam: "#e8743b",
  service: "#f3d9a4",
  "api-client": "#e9b7a0",
  library: "#b9d3b0",
  node: "#a9c9de",
  native: "#c9cdd4",
  garbage: "#b9a3c9",
};
const OWN = "#e4572e"; // the daemon's own room

interface Box {
  readonly frame: Frame;
  readonly x: number;
  readonly row: number;
}

/** A call tree as one picture that needs nothing else: a function is as wide as its time, and stands under its caller. */
export function svgOf(root: Frame, title: string): string {
  const boxes = [...boxesOf(root, 0, 0, root.totalUs)];
  const height = HEAD + ROW * (1 + Math.max(0, ...boxes.map(({ row }) => row))) + 4;
  const rooms = selfBy(root, roomOf).filter(([, us]) => us >= LEAST * root.totalUs);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, monospace" font-size="10">`,
    `<style>rect{stroke:#fff;stroke-width:.5}text{fill:#1d1d1f}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="4" y="18" font-size="14">${escape(title)}</text>`,
    `<text x="4" y="34">a function is as wide as its time, under its caller; a system call counts to who made it. Each room alone:</text>`,
    ...legend(rooms, root.totalUs),
    ...boxes.map((box) => boxOf(box, root.totalUs)),
    `</svg>\n`,
  ].join("\n");
}

/** Callees side by side under their caller, the widest first; those too narrow are left out. */
function* boxesOf(frame: Frame, fromUs: number, row: number, wholeUs: number): Generator<Box> {
  let at = fromUs;
  for (const callee of [...frame.callees.values()].toSorted((a, b) => b.totalUs - a.totalUs)) {
    if (callee.totalUs < LEAST * wholeUs) break;
    yield { frame: callee, x: (at / wholeUs) * WIDTH, row };
    yield* boxesOf(callee, at, row + 1, wholeUs);
    at += callee.totalUs;
  }
}

function boxOf({ frame, x, row }: Box, wholeUs: number): string {
  const [y, width, label] = [HEAD + row * ROW, (frame.totalUs / wholeUs) * WIDTH, labelOf(frame)];
  const told = `${label}: ${percent(frame.totalUs, wholeUs)}, itself ${percent(frame.selfUs, wholeUs)}`;
  const letters = Math.floor((width - 4) / LETTER);
  const text = letters < 3 ? "" : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escape(cut(label, letters))}</text>`;
  const place = `x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}"`;
  return `<g><title>${escape(told)}</title><rect ${place} fill="${colourOf(roomOf(frame))}"/>${text}</g>`;
}

function legend(rooms: readonly (readonly [string, number])[], wholeUs: number): string[] {
  return rooms.slice(0, 9).map(([room, us], n) => {
    const x = 4 + n * 132;
    const text = `<text x="${x + 14}" y="53">${escape(room)} ${percent(us, wholeUs)}</text>`;
    return `<rect x="${x}" y="43" width="11" height="11" fill="${colourOf(room)}"/>${text}`;
  });
}

const colourOf = (room: string): string => COLOURS[room] ?? OWN;
const percent = (us: number, of: number): string => `${((100 * us) / of).toFixed(1)} %`;
const cut = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
