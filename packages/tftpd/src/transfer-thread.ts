/** The thread behind `transfer-worker.ts`: one blocking port, no event loop. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { listenBlocking } from "@firstlight/datagram";
import { TransferLoop, type WorkerReport, type WorkerCommand } from "./transfer-loop.ts";
import type { ThreadData } from "./transfer-worker.ts";

const { address, bell, commands } = workerData as ThreadData & { readonly commands: MessagePort };
const port = await listenBlocking({ address, port: 0 }, bell);
const report = (message: WorkerReport): void => commands.postMessage(message, []);
const loop = new TransferLoop({
  port,
  now: () => performance.now(),
  nextCommand: () => receiveMessageOnPort(commands)?.message as WorkerCommand | undefined,
  report,
});
report({ is: "open" });
loop.run();
port.close();
commands.close();
