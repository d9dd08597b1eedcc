import { listenDgram } from "./dgram.ts";
import type { Listen, Port } from "./port.ts";
import { Unavailable } from "./unavailable.ts";

/**
 * Opens a UDP port. Rejects with an `Error` that carries the system's `code` (`EADDRINUSE`, `EACCES`, …) when the
 * kernel refuses the address, and with `FL_UNAVAILABLE` when the engine asked for cannot work here.
 */
export async function listen(options: Listen): Promise<Port> {
  const { engine = "auto" } = options;
  if (engine === "dgram") return listenDgram(options);
  try {
    const { listenBatch } = await import("./batch/engine.ts"); // late: elsewhere than on Linux there is no koffi to load
    return listenBatch(options);
  } catch (fault) {
    if (engine === "batch" || !(fault instanceof Unavailable)) throw fault;
    if (options.device !== undefined) throw fault; // dgram would serve every device: worse than not serving
    options.onFallback?.(fault.message);
    return listenDgram(options);
  }
}
