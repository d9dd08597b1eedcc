import type { Server, Socket } from "node:net";

/** Keeps one address from taking every connection; says how many are open. */
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
