import { pino, type DestinationStream, type Logger } from "pino";
import type { SiteConfig } from "../config/site.ts";

/**
 * JSON lines on stdout, buffered for one turn of the event loop; each line names its daemon and site. `minLength` 1 writes
 * as soon as 0 does, but at 0 `flush` calls back at once, while a write is still in progress.
 */
export function createLog(site: SiteConfig, daemon: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level: site.log.level,
      base: { site: site.site.name, daemon },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { error: errorFields, err: errorFields },
    },
    destination ?? pino.destination({ dest: 1, sync: false, minLength: 1 }),
  );
}

/** An error as fields, with its causes: type, message, code and cause. */
function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { code, cause } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined || depth > 3 ? {} : { cause: errorFields(cause, depth + 1) }),
    stack: error.stack,
  };
}
