import type { BootEvent } from "./api.ts";

/** What one event may weigh. The API refuses more, so a reporter cuts first: a long reason is better short than lost. */
export const EVENT_LIMITS = { id: 128, text: 1024, keys: 32, key: 64, value: 512 } as const;

/** The event within its limits. Control characters become spaces: a timeline is read on terminals. */
export function withinLimits(event: BootEvent): BootEvent {
  const { because, detail } = event;
  if ((because === undefined || isPlain(because, EVENT_LIMITS.text)) && isPlainDetail(detail)) return event;
  return {
    ...event,
    ...(because !== undefined && { because: clean(because, EVENT_LIMITS.text) }),
    ...(detail && {
      detail: Object.fromEntries(
        Object.entries(detail)
          .slice(0, EVENT_LIMITS.keys)
          .map(([key, value]) => [clean(key, EVENT_LIMITS.key), clean(value, EVENT_LIMITS.value)]),
      ),
    }),
  };
}

const PLAIN = /^[\x20-\x7e]*$/;

function isPlain(text: string, most: number): boolean {
  return text.length <= most && PLAIN.test(text);
}

/** Nearly every event is within its limits as it is, and need not be written anew to learn that. */
function isPlainDetail(detail: BootEvent["detail"]): boolean {
  let keys = 0;
  for (const key in detail) {
    if (++keys > EVENT_LIMITS.keys || !isPlain(key, EVENT_LIMITS.key)) return false;
    if (!isPlain(detail[key]!, EVENT_LIMITS.value)) return false;
  }
  return true;
}

/** A machine's or a person's words as they may stand in an event: bounded, on one line, whole characters. */
export function clean(text: string, most: number): string {
  if (isPlain(text, most)) return text;
  return text
    .slice(0, most)
    .replaceAll(/\p{Cc}/gu, " ")
    .toWellFormed();
}
