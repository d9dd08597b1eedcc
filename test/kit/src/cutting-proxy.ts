import { once } from "node:events";
import { type AddressInfo, createServer, type Socket, connect } from "node:net";

/** Where in a transaction the connection is cut. */
export const CUTS = [
  /** At the first answer after BEGIN: the server rolls back. */
  "within",
  /** At COMMIT: the server does not receive it. */
  "before commit",
  /** After COMMIT was passed on: the client is gone before the server answers. */
  "with commit",
  /** At the server's answer to COMMIT: the client does not receive it. */
  "before the answer",
  /** After the client received the answer. */
  "after the answer",
] as const;
export type Cut = (typeof CUTS)[number];

/** A TCP proxy before PostgreSQL that cuts connections. */
export interface CuttingProxy extends AsyncDisposable {
  /** URL of the database through this proxy. */
  readonly url: string;
  /** Cuts the first connection whose transaction reaches this point. */
  cutNext(at: Cut): void;
  /** How often each cut was made. */
  readonly made: Readonly<Record<Cut, number>>;
  /** `true`: refuses new connections and cuts the present ones; `false`: accepts connections again. */
  down(isDown: boolean): void;
}

/** COMMIT as `pg` sends it, a simple query: type, length, text, NUL (PostgreSQL documentation, "Message Formats"). */
const COMMIT = frame("Q", "COMMIT");
/** The server's answer, CommandComplete. */
const COMMITTED = frame("C", "COMMIT");
/** A text in the first statement of a lease batch. */
const BEGIN = Buffer.from("pg_advisory_xact_lock_shared");

function frame(type: string, text: string): Buffer {
  const bytes = Buffer.alloc(text.length + 6);
  bytes.write(type, 0, "latin1");
  bytes.writeInt32BE(text.length + 5, 1);
  bytes.write(text, 5, "latin1");
  return bytes;
}

/** Starts a proxy on a free port of 127.0.0.1, before the server of `databaseUrl` (TCP or Unix socket). */
export async function cuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl);
  const made = Object.fromEntries(CUTS.map((cut) => [cut, 0])) as Record<Cut, number>;
  const connections = new Set<ProxiedConnection>();
  let nextCut: Cut | undefined;
  let isDown = false;
  const server = createServer((client) => {
    if (isDown) return void client.destroy();
    const host = target.searchParams.get("host") ?? target.hostname;
    const port = Number(target.port || 5432);
    const upstream = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const connection = new ProxiedConnection(client, upstream, {
      next: () => nextCut,
      made: (cut) => {
        made[cut]++;
        nextCut = undefined;
      },
    });
    connections.add(connection);
    client.once("close", () => connections.delete(connection));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.searchParams.delete("host");
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    made,
    cutNext: (at) => void (nextCut = at),
    down(is) {
      isDown = is;
      if (is) for (const connection of connections) connection.cut();
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.cut();
      server.close();
      await once(server, "close");
    },
  };
}

/** The cut that the test asked for. */
interface CutPlan {
  next(): Cut | undefined;
  /** Called once the cut was made. */
  made(cut: Cut): void;
}

/** One connection through the proxy. A message may be split over two chunks, so the end of the last chunk is kept. */
class ProxiedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #plan: CutPlan;
  #clientTail = Buffer.alloc(0);
  #serverTail = Buffer.alloc(0);
  #isInTransaction = false;
  #isCommitting = false;

  constructor(client: Socket, server: Socket, plan: CutPlan) {
    [this.#client, this.#server, this.#plan] = [client, server, plan];
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // "close" follows
      socket.on("close", () => this.cut());
    }
    client.on("data", (chunk) => this.#fromClient(chunk));
    server.on("data", (chunk) => this.#fromServer(chunk));
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  #fromClient(chunk: Buffer): void {
    const received = Buffer.concat([this.#clientTail, chunk]);
    const cut = this.#plan.next();
    const commits = received.includes(COMMIT);
    if (cut === "before commit" && commits) return this.#cutAt(cut);
    this.#isInTransaction ||= received.includes(BEGIN);
    if (commits) [this.#isInTransaction, this.#isCommitting] = [false, true];
    this.#clientTail = commits ? Buffer.alloc(0) : received.subarray(-BEGIN.length + 1);
    this.#server.write(chunk);
    // The server reads COMMIT before the end of the stream, and commits.
    if (cut === "with commit" && commits) {
      this.#plan.made(cut);
      this.#client.destroy();
      this.#server.end();
    }
  }

  #fromServer(chunk: Buffer): void {
    const received = Buffer.concat([this.#serverTail, chunk]);
    const isCommitted = this.#isCommitting && received.includes(COMMITTED);
    this.#serverTail = received.subarray(-COMMITTED.length + 1);
    const cut = this.#plan.next();
    if (cut === "within" && this.#isInTransaction) return this.#cutAt(cut);
    if (isCommitted && cut === "before the answer") return this.#cutAt(cut);
    if (this.#client.writable) this.#client.write(chunk);
    if (!isCommitted) return;
    this.#isCommitting = false;
    if (cut !== "after the answer") return;
    this.#plan.made(cut);
    this.#client.end();
    this.#server.destroy();
  }

  #cutAt(cut: Cut): void {
    this.#plan.made(cut);
    this.cut();
  }
}
