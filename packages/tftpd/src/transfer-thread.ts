/** The thread behind `transfer-worker.ts`: one blocking port, no event loop. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { listenBlocking } from "@firstlight/datagram";
import { Carrier, type News, type Order } from "./transfer-loop.ts";
import type { ThreadData } from "./transfer-worker.ts";

const { address, bell, orders } = workerData as ThreadData & { readonly orders: MessagePort };
const port = await listenBlocking({ address, port: 0 }, bell);
const tell = (news: News): void => orders.postMessage(news, []);
const carrier = new Carrier({
  port,
  now: () => performance.now(),
  nextOrder: () => receiveMessageOnPort(orders)?.message as Order | undefined,
  tell,
});
tell({ is: "open" });
carrier.run();
port.close();
orders.close();
