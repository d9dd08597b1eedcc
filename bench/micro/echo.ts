import { listen } from "@firstlight/datagram";
import type { Case } from "./case.ts";

const LOCALHOST = 0x7f00_0001;
const BATCH = 32;
const BYTES = 300;

/** Thirty-two datagrams there and back through the kernel, on the portable engine: the one that is everywhere. */
export const echo: Case = {
  name: "datagram batch of 32 echoed",
  async open() {
    const [far, near] = [await listen(options()), await listen(options())];
    const serving = far.serve((query, length, reply) => {
      reply.set(query.subarray(0, length));
      return length;
    }, BYTES);
    const replies = near[Symbol.asyncIterator]();
    const datagram = new Uint8Array(BYTES);
    return {
      async run(times) {
        for (let n = 0; n < times; n++) {
          for (let sent = 0; sent < BATCH; sent++) near.send(datagram, far.local);
          near.flush();
          for (let back = 0; back < BATCH;) back += (await replies.next()).value?.length ?? BATCH;
        }
      },
      async close() {
        await Promise.all([far.close(), near.close()]);
        await serving;
      },
    };
  },
};

function options(): Parameters<typeof listen>[0] {
  return { address: LOCALHOST, port: 0, engine: "dgram" };
}
