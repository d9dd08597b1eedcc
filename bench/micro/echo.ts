import { listen } from "@firstlight/datagram";
import type { Case } from "./case.ts";

const LOCALHOST = 0x7f00_0001;
const BATCH = 32;
const BYTES = 300;

/** Thirty-two datagrams sent and echoed through the kernel, on the portable engine, which works everywhere. */
export const echo: Case = {
  name: "datagram batch of 32 echoed",
  async open() {
    const [server, client] = [await listen(options()), await listen(options())];
    const echoing = server.serve((query, length, reply) => {
      reply.set(query.subarray(0, length));
      return length;
    }, BYTES);
    const replies = client[Symbol.asyncIterator]();
    const datagram = new Uint8Array(BYTES);
    return {
      async run(times) {
        for (let n = 0; n < times; n++) {
          for (let sent = 0; sent < BATCH; sent++) client.send(datagram, server.local);
          client.flush();
          for (let back = 0; back < BATCH;) back += (await replies.next()).value?.length ?? BATCH;
        }
      },
      async close() {
        await Promise.all([server.close(), client.close()]);
        await echoing;
      },
    };
  },
};

function options(): Parameters<typeof listen>[0] {
  return { address: LOCALHOST, port: 0, engine: "dgram" };
}
