import { once } from "node:events";
import { type MessagePort, MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { type Bell, createWakeup, type Endpoint, type Wakeup } from "@firstlight/datagram";
import type { WorkerReport, WorkerCommand } from "./transfer-loop.ts";
import type { Ended, Underway } from "./session.ts";

export interface ThreadData {
  readonly address: Endpoint["address"];
  /** Ends its waiting. */
  readonly bell: Bell;
}

/** One transfer for the worker. */
export type TransferRequest = Omit<Extract<WorkerCommand, { do: "start" }>, "do" | "id">;

type OnIgnored = (because: string, count: number) => void;

/**
 * A thread for transfers whose file is in memory. It waits only for the network: a block costs two system calls and no
 * turn of the event loop. Transfers that read from disk stay on the event loop (`session.ts`).
 */
export class TransferWorker implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #wakeup: Wakeup;
  readonly #onIgnored: OnIgnored;
  readonly #transfers = new Map<number, { onEnd(ended: Ended): void; onProven(): void }>();
  #closing: Promise<void> | undefined;
  #nextId = 1;

  /** Rejects where the thread's port cannot be had (`FL_UNAVAILABLE`, or what the kernel said). */
  static async open(address: Endpoint["address"], onIgnored: OnIgnored): Promise<TransferWorker> {
    const wakeup = await createWakeup();
    const { port1, port2 } = new MessageChannel();
    const data = { address, bell: wakeup.bell, commands: port2 };
    const worker = new Worker(new URL("./transfer-thread.ts", import.meta.url), {
      workerData: data,
      transferList: [port2],
    });
    try {
      await Promise.race([once(port1, "message"), once(worker, "exit").then(() => Promise.reject(new Error("ended")))]);
    } catch (fault) {
      wakeup.close();
      port1.close();
      throw fault;
    }
    return new TransferWorker(worker, port1, wakeup, onIgnored);
  }

  private constructor(worker: Worker, port: MessagePort, wakeup: Wakeup, onIgnored: OnIgnored) {
    this.#worker = worker;
    this.#port = port;
    this.#wakeup = wakeup;
    this.#onIgnored = onIgnored;
    port.on("message", (report: WorkerReport) => this.#receive(report));
  }

  /** Starts a transfer; `onEnd` is called once, at its end. */
  start(transfer: TransferRequest, onEnd: (ended: Ended) => void): Underway {
    const id = this.#nextId++;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    let isProven = false;
    this.#transfers.set(id, {
      onProven: () => (isProven = true),
      onEnd(ended) {
        resolve();
        onEnd(ended);
      },
    });
    this.#command({ do: "start", id, ...transfer });
    return {
      get isProven() {
        return isProven;
      },
      closed,
      receive: (event) => (event.is === "again" ? this.#command({ do: "again", id }) : undefined),
      end: (because) => this.#command({ do: "end", id, because }),
    };
  }

  /** Reads the thread's reports at once: a client's next request may arrive before the event loop delivers them. */
  catchUp(): void {
    for (let got = receiveMessageOnPort(this.#port); got !== undefined; got = receiveMessageOnPort(this.#port)) {
      this.#receive(got.message as WorkerReport);
    }
  }

  /** Ends all transfers and reports each end. Safe to call twice. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const ended = once(this.#worker, "exit");
    this.#command({ do: "stop" });
    await ended;
    this.catchUp();
    this.#port.close();
    this.#wakeup.close();
  }

  #command(command: WorkerCommand): void {
    this.#port.postMessage(command, []);
    this.#wakeup.wake();
  }

  #receive(report: WorkerReport): void {
    switch (report.is) {
      case "proven":
        return this.#transfers.get(report.id)?.onProven();
      case "ended": {
        const entry = this.#transfers.get(report.id);
        this.#transfers.delete(report.id);
        return entry?.onEnd(report.ended);
      }
      case "ignored":
        this.#onIgnored(report.because, report.count);
    }
  }
}
