/** A word, a mark (`{ } ; = ,`) or a string of ISC dhcpd's files, and the line it begins in. */
export interface Token {
  readonly is: "word" | "mark" | "string" | "cut";
  /** Of a string: a character per byte. */
  readonly text: string;
  readonly line: number;
}

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", r: "\r", n: "\n", b: "\b" };
const WORD = /[^\s{};=,"#]+/y;
const NUMBER = /[0-3][0-7]{2}|x[0-9a-fA-F]{2}/y;

/** Tokens as dhcpd's `conflex.c` reads them; a string that never ends is `cut`. */
export function* tokens(text: string): Generator<Token> {
  let line = 1;
  for (let at = 0; at < text.length;) {
    const char = text[at]!;
    if (char === "\n") line++;
    if (/\s/.test(char)) at++;
    else if (char === "#") at = endOfLine(text, at);
    else if ("{};=,".includes(char)) {
      yield { is: "mark", text: char, line };
      at++;
    } else if (char === '"') {
      const string = quoted(text, at + 1);
      yield { is: string.isWhole ? "string" : "cut", text: string.value, line };
      line += string.lines;
      at = string.end;
    } else {
      WORD.lastIndex = at;
      const word = WORD.exec(text)![0];
      yield { is: "word", text: word, line };
      at += word.length;
    }
  }
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}

/** A string may run over lines; bytes that are not printable are written in octal. */
function quoted(text: string, from: number): { value: string; end: number; lines: number; isWhole: boolean } {
  let value = "";
  let lines = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') return { value, end: at + 1, lines, isWhole: true };
    if (char === "\n") lines++;
    if (char !== "\\") {
      value += char;
      continue;
    }
    NUMBER.lastIndex = at + 1;
    const number = NUMBER.exec(text)?.[0];
    if (number !== undefined) {
      const code = number.startsWith("x") ? Number.parseInt(number.slice(1), 16) : Number.parseInt(number, 8);
      value += String.fromCodePoint(code);
      at += number.length;
    } else {
      const next = text[++at] ?? "";
      if (next === "\n") lines++;
      value += ESCAPES[next] ?? next;
    }
  }
  return { value, end: text.length, lines, isWhole: false };
}
