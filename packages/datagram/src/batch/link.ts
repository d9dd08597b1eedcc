import { HEAD_BYTES, writeFrame } from "../frame.ts";
import type { Endpoint } from "../port.ts";
import { Unavailable } from "../unavailable.ts";
import * as C from "./constants.ts";
import { loadLibc, memory, systemError } from "./libc.ts";

/** To whom a frame goes: a hardware address of six bytes as a number, behind one of our interfaces. */
export interface Station {
  readonly hardware: number;
  readonly ifindex: number;
}

/**
 * Sends UDP over IPv4 to a hardware address, past routing and ARP: for a client that has been promised an address and does
 * not answer for it yet (RFC 2131 §4.1).
 */
export interface Link extends Disposable {
  /** False when the kernel did not take it. `bytes` are copied. */
  send(bytes: Uint8Array, from: Endpoint, to: Endpoint, station: Station): boolean;
}

const LARGEST = 9000;
const SOCKADDR_LL_BYTES = 20;
const IPV4 = 0x0800; // ETH_P_IP

/** Throws `Unavailable` without CAP_NET_RAW. */
export function createLink(): Link {
  const libc = loadLibc();
  const fd = libc.socket(C.AF_PACKET, C.SOCK_DGRAM | C.SOCK_FLAGS, 0); // protocol 0: it receives nothing
  if (fd < 0) {
    const fault = systemError(libc, "socket AF_PACKET");
    throw fault.code === "EPERM" ? new Unavailable("a packet socket is not permitted here", { cause: fault }) : fault;
  }
  const frame = memory(LARGEST);
  const name = memory(24);
  name.view.setUint16(0, C.AF_PACKET, true);
  name.view.setUint16(2, IPV4); // in network order, as all that is not the host's
  name.view.setUint8(11, 6);
  return {
    send(bytes, from, to, { hardware, ifindex }) {
      if (bytes.length > LARGEST - HEAD_BYTES || typeof from.address === "bigint" || typeof to.address === "bigint")
        return false;
      const length = writeFrame(frame.u8, bytes, from, to);
      name.view.setInt32(4, ifindex, true);
      name.view.setUint16(12, Math.floor(hardware / 0x1_0000_0000));
      name.view.setUint32(14, hardware >>> 0);
      return libc.sendto(fd, frame.address, length, C.MSG_DONTWAIT, name.address, SOCKADDR_LL_BYTES) === length;
    },
    [Symbol.dispose]: () => void libc.close(fd),
  };
}
