const MOST_CHARACTERS = 200;

/**
 * Text of any origin as words for an iPXE `echo`: what iPXE's shell gives a meaning (`${}`, `||`, `&&`, `;`, `#`, quotes,
 * a backslash, a line's end) becomes a question mark, so it can neither end the line nor expand a setting.
 */
export function words(text: string): string {
  const safe = text.slice(0, MOST_CHARACTERS).replaceAll(/[^A-Za-z0-9 .,:_/()@+=*-]/g, "?");
  return safe.replaceAll(/ +/g, " ").trim();
}

/** Whether a text can stand as one operand or setting value on an iPXE line and one kernel argument, unchanged. */
export function isOneArgument(text: string): boolean {
  return /^[A-Za-z0-9.,:_/@+=~%-]{1,1024}$/.test(text);
}
