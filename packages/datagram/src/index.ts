/** Floor 1. One `Port` for UDP with two engines: `dgram` everywhere, `batch` (recvmmsg/sendmmsg) on Linux. */
export {
  type Bell,
  type BlockingPort,
  type Body,
  createWakeup,
  listenBlocking,
  type Run,
  type Wakeup,
} from "./blocking.ts";
export { type Link, openLink, type Station } from "./link.ts";
export { listen } from "./listen.ts";
export type { Answer, Counters, Datagram, Endpoint, Engine, Listen, Port, Source } from "./port.ts";
