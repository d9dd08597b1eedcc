import type { Server, Socket } from "node:net";

/** Limits the connections of one address, and counts those that are open. */
export class Connections {
  readonly #of = new Map<string, number>();
  #open = 0;

  get open(): number {
    return this.#open;
  }

  /** Watches a server; beyond `mostPerClient` a new connection of the same address is closed at once. */
  watch(server: Server, mostPerClient: number, onRefused: () => void): void {
    server.on("drop", onRefused); // beyond `maxConnections`
    server.on("connection", (socket: Socket) => {
      const source = socket.remoteAddress ?? "";
      const own = (this.#of.get(source) ?? 0) + 1;
      this.#of.set(source, own);
      this.#open++;
      socket.once("close", () => this.#leave(source));
      if (own <= mostPerClient) return;
      onRefused();
      socket.destroy();
    });
  }

  #leave(source: string): void {
    this.#open--;
    const left = (this.#of.get(source) ?? 1) - 1;
    if (left > 0) this.#of.set(source, left);
    else this.#of.delete(source);
  }
}
