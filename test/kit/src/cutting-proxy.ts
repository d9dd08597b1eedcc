import { once } from "node:events";
import { type AddressInfo, createServer, type Socket, connect } from "node:net";

/** Where in a transaction the line breaks. */
export const CUTS = [
  /** With the first answer after BEGIN: what was asked may be under way, and is taken back. */
  "within",
  /** With COMMIT: the server never sees it. */
  "before commit",
  /** COMMIT is on its way, and nobody waits for its answer. */
  "with commit",
  /** The server has committed and said so, and nobody hears it. */
  "before the answer",
  /** The answer is heard; then the line breaks. */
  "after the answer",
] as const;
export type Cut = (typeof CUTS)[number];

/** A real TCP line to PostgreSQL that can be cut. */
export interface CuttableLine extends AsyncDisposable {
  /** The same database, through this line. */
  readonly url: string;
  /** Cuts the connection on which the next transaction comes to this point. */
  cutNext(at: Cut): void;
  /** Told how often each cut was made. */
  readonly made: Readonly<Record<Cut, number>>;
  /** Refuses new connections, and ends those there are; `false`: lets them through again. */
  down(isDown: boolean): void;
}

/** A simple query, as `pg` sends it: type, length, text, NUL (PostgreSQL: "Message Formats"). */
const COMMIT = frame("Q", "COMMIT");
/** CommandComplete, as the server answers it. */
const COMMITTED = frame("C", "COMMIT");
/** A batch of leases begins. */
const BEGIN = Buffer.from("pg_advisory_xact_lock_shared");

function frame(type: string, text: string): Buffer {
  const bytes = Buffer.alloc(text.length + 6);
  bytes.write(type, 0, "latin1");
  bytes.writeInt32BE(text.length + 5, 1);
  bytes.write(text, 5, "latin1");
  return bytes;
}

export async function cuttable(databaseUrl: string): Promise<CuttableLine> {
  const target = new URL(databaseUrl);
  const made = Object.fromEntries(CUTS.map((cut) => [cut, 0])) as Record<Cut, number>;
  const lines = new Set<Line>();
  let armed: Cut | undefined;
  let isDown = false;
  const server = createServer((near) => {
    if (isDown) return void near.destroy();
    const host = target.searchParams.get("host") ?? target.hostname;
    const port = Number(target.port || 5432);
    const far = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const line = new Line(near, far, {
      wanted: () => armed,
      made: (cut) => {
        made[cut]++;
        armed = undefined;
      },
    });
    lines.add(line);
    near.once("close", () => lines.delete(line));
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
    cutNext: (at) => void (armed = at),
    down(is) {
      isDown = is;
      if (is) for (const line of lines) line.cut();
    },
    async [Symbol.asyncDispose]() {
      for (const line of lines) line.cut();
      server.close();
      await once(server, "close");
    },
  };
}

interface Wish {
  wanted(): Cut | undefined;
  made(cut: Cut): void;
}

/** One connection. `near` is the client's end, `far` the server's. Chunks are as TCP cuts them: what is looked for may lie across two. */
class Line {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #wish: Wish;
  #asked = Buffer.alloc(0);
  #answered = Buffer.alloc(0);
  #isInTransaction = false;
  #isCommitting = false;

  constructor(near: Socket, far: Socket, wish: Wish) {
    [this.#near, this.#far, this.#wish] = [near, far, wish];
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // it closes next
      socket.on("close", () => this.cut());
    }
    near.on("data", (chunk) => this.#ask(chunk));
    far.on("data", (chunk) => this.#answer(chunk));
  }

  cut(): void {
    this.#near.destroy();
    this.#far.destroy();
  }

  #ask(chunk: Buffer): void {
    const seen = Buffer.concat([this.#asked, chunk]);
    const wanted = this.#wish.wanted();
    const commits = seen.includes(COMMIT);
    if (wanted === "before commit" && commits) return this.#cutAt(wanted);
    this.#isInTransaction ||= seen.includes(BEGIN);
    if (commits) [this.#isInTransaction, this.#isCommitting] = [false, true];
    this.#asked = commits ? Buffer.alloc(0) : seen.subarray(-BEGIN.length + 1);
    this.#far.write(chunk);
    // The server reads what was sent before the end of the stream, and commits.
    if (wanted === "with commit" && commits) {
      this.#wish.made(wanted);
      this.#near.destroy();
      this.#far.end();
    }
  }

  #answer(chunk: Buffer): void {
    const seen = Buffer.concat([this.#answered, chunk]);
    const isCommitted = this.#isCommitting && seen.includes(COMMITTED);
    this.#answered = seen.subarray(-COMMITTED.length + 1);
    const wanted = this.#wish.wanted();
    if (wanted === "within" && this.#isInTransaction) return this.#cutAt(wanted);
    if (isCommitted && wanted === "before the answer") return this.#cutAt(wanted);
    if (this.#near.writable) this.#near.write(chunk);
    if (!isCommitted) return;
    this.#isCommitting = false;
    if (wanted !== "after the answer") return;
    this.#wish.made(wanted);
    this.#near.end();
    this.#far.destroy();
  }

  #cutAt(cut: Cut): void {
    this.#wish.made(cut);
    this.cut();
  }
}
