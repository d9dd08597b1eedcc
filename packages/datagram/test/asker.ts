/** A thread that asks one port after another and waits in the kernel for each answer: no event loop is in what it measures. */
import { parentPort, workerData } from "node:worker_threads";
import { createWakeup, type Endpoint, listenBlocking } from "../src/index.ts";

const { targets, rounds, bytes } = workerData as {
  readonly targets: readonly Endpoint[];
  readonly rounds: number;
  readonly bytes: number;
};
const LONGEST_MS = 2000;

const wakeup = await createWakeup();
const port = await listenBlocking({ address: 0x7f00_0001, port: 0 }, wakeup.bell);
const still = new Int32Array(new SharedArrayBuffer(4));
const question = new Uint8Array(bytes);
const took: number[][] = targets.map(() => []);

for (let round = 0; round < rounds; round++) {
  for (const i of round % 2 === 0 ? targets.keys() : [...targets.keys()].toReversed()) {
    Atomics.wait(still, 0, 0, 1 + Math.random() * 2); // a lone packet, at a moment of its own
    const asked = performance.now();
    port.send(question, targets[i]!);
    while (port.receive(LONGEST_MS).length === 0 && performance.now() - asked < LONGEST_MS);
    took[i]!.push(performance.now() - asked);
  }
}
parentPort!.postMessage(took, []);
port.close();
wakeup.close();
