import type { Frame } from "./profile.ts";
import { labelOf, originOf, selfBy } from "./origin.ts";

const WIDTH = 1200;
const ROW_HEIGHT = 17;
const HEADER_HEIGHT = 64;
const LETTER_WIDTH = 6.1;
/** A frame narrower than this share of the whole is left out. */
const MIN_SHARE = 0.003;

/** Warm colours for our packages, cold ones for libraries, Node and V8. */
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
const DAEMON_COLOUR = "#e4572e"; // the daemon's own package

interface Box {
  readonly frame: Frame;
  readonly x: number;
  readonly row: number;
}

/** A call tree as a self-contained SVG. A function's width is its time; it is drawn below its caller. */
export function svgOf(root: Frame, title: string): string {
  const boxes = [...boxesOf(root, 0, 0, root.totalUs)];
  const height = HEADER_HEIGHT + ROW_HEIGHT * (1 + Math.max(0, ...boxes.map(({ row }) => row))) + 4;
  const origins = selfBy(root, originOf).filter(([, us]) => us >= MIN_SHARE * root.totalUs);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, monospace" font-size="10">`,
    `<style>rect{stroke:#fff;stroke-width:.5}text{fill:#1d1d1f}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="4" y="18" font-size="14">${escape(title)}</text>`,
    `<text x="4" y="34">A function's width is its time, below its caller. A system call counts for the function that made it. Own time by origin:</text>`,
    ...legend(origins, root.totalUs),
    ...boxes.map((box) => boxOf(box, root.totalUs)),
    `</svg>\n`,
  ].join("\n");
}

/** Callees side by side under their caller, the widest first; those too narrow are left out. */
function* boxesOf(frame: Frame, fromUs: number, row: number, wholeUs: number): Generator<Box> {
  let at = fromUs;
  for (const callee of [...frame.callees.values()].toSorted((a, b) => b.totalUs - a.totalUs)) {
    if (callee.totalUs < MIN_SHARE * wholeUs) break;
    yield { frame: callee, x: (at / wholeUs) * WIDTH, row };
    yield* boxesOf(callee, at, row + 1, wholeUs);
    at += callee.totalUs;
  }
}

function boxOf({ frame, x, row }: Box, wholeUs: number): string {
  const [y, width, label] = [HEADER_HEIGHT + row * ROW_HEIGHT, (frame.totalUs / wholeUs) * WIDTH, labelOf(frame)];
  const tooltip = `${label}: ${percent(frame.totalUs, wholeUs)}, own ${percent(frame.selfUs, wholeUs)}`;
  const letters = Math.floor((width - 4) / LETTER_WIDTH);
  const text = letters < 3 ? "" : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escape(cut(label, letters))}</text>`;
  const geometry = `x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW_HEIGHT - 1}"`;
  return `<g><title>${escape(tooltip)}</title><rect ${geometry} fill="${colourOf(originOf(frame))}"/>${text}</g>`;
}

function legend(origins: readonly (readonly [string, number])[], wholeUs: number): string[] {
  return origins.slice(0, 9).map(([origin, us], n) => {
    const x = 4 + n * 132;
    const text = `<text x="${x + 14}" y="53">${escape(origin)} ${percent(us, wholeUs)}</text>`;
    return `<rect x="${x}" y="43" width="11" height="11" fill="${colourOf(origin)}"/>${text}`;
  });
}

const colourOf = (origin: string): string => COLOURS[origin] ?? DAEMON_COLOUR;
const percent = (us: number, of: number): string => `${((100 * us) / of).toFixed(1)} %`;
const cut = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
