import { HEADER_BYTES, writeDataHeader } from "@firstlight/wire/tftp";
import { start, step } from "../../packages/tftpd/src/transfer.ts";
import type { Case } from "./case.ts";

const BLOCK_BYTES = 1468;
/** Small enough for the processor's cache, so that memory bandwidth is not measured. */
const FILE_BYTES = 128 << 10;
const NEGOTIATED = { blockBytes: BLOCK_BYTES, windowBlocks: 16, options: new Map() };

/** One acknowledgement of a window of sixteen blocks: the step of the transfer, and the next sixteen blocks encoded. No socket. */
export const window: Case = {
  name: "tftp acknowledgement to window",
  async open() {
    const file = new Uint8Array(FILE_BYTES);
    const out = new Uint8Array(HEADER_BYTES + BLOCK_BYTES);
    let [transfer] = start(FILE_BYTES, 0, NEGOTIATED);
    return {
      run(times) {
        for (let n = 0; n < times; n++) {
          const [next, effects] = step(transfer, { is: "ack", block: transfer.sent & 0xffff }, n);
          [transfer] = next.acked === next.last ? start(FILE_BYTES, n, NEGOTIATED) : [next];
          for (const effect of effects) {
            if (effect.do !== "send") continue;
            for (let block = effect.from; block < effect.from + effect.count; block++) {
              writeDataHeader(out, block);
              out.set(file.subarray((block - 1) * BLOCK_BYTES, block * BLOCK_BYTES), HEADER_BYTES);
            }
          }
        }
      },
    };
  },
};
