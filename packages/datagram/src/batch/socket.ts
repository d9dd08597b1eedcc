import type { Endpoint, Listen } from "../port.ts";
import { Unavailable } from "../unavailable.ts";
import * as C from "./constants.ts";
import { type Libc, memory, systemError } from "./libc.ts";
import { readEndpoint, writeEndpoint } from "./sockaddr.ts";

/** Opens, prepares and binds a socket. Throws what the kernel said; `Unavailable` when it is a matter of privilege. */
export function openSocket(libc: Libc, options: Listen): { fd: number; local: Endpoint } {
  const is6 = typeof options.address === "bigint";
  const fd = libc.socket(is6 ? C.AF_INET6 : C.AF_INET, C.SOCK_DGRAM | C.SOCK_FLAGS, 0);
  if (fd < 0) throw systemError(libc, "socket");
  try {
    prepare(libc, fd, options, is6);
    return { fd, local: bind(libc, fd, options) };
  } catch (fault) {
    libc.close(fd);
    throw fault;
  }
}

function prepare(
  libc: Libc,
  fd: number,
  { share, broadcast, device, bufferBytes = 4 << 20 }: Listen,
  is6: boolean,
): void {
  const value = memory(16);
  const set = (level: number, option: number, to: number): boolean => {
    value.view.setInt32(0, to, true);
    return libc.setsockopt(fd, level, option, value.address, 4) === 0;
  };
  const must = (level: number, option: number, name: string): void => {
    if (set(level, option, 1)) return;
    const fault = systemError(libc, `setsockopt ${name}`);
    throw fault.code === "EPERM" ? new Unavailable(`${name} is not permitted here`, { cause: fault }) : fault;
  };
  if (share === true) must(C.SOL_SOCKET, C.SO_REUSEPORT, "SO_REUSEPORT");
  if (broadcast === true) must(C.SOL_SOCKET, C.SO_BROADCAST, "SO_BROADCAST");
  must(C.SOL_SOCKET, C.SO_RXQ_OVFL, "SO_RXQ_OVFL");
  if (is6) {
    must(C.IPPROTO_IPV6, C.IPV6_V6ONLY, "IPV6_V6ONLY"); // one family a port, as on dgram
    must(C.IPPROTO_IPV6, C.IPV6_RECVPKTINFO, "IPV6_RECVPKTINFO");
  } else must(C.IPPROTO_IP, C.IP_PKTINFO, "IP_PKTINFO");
  // FORCE passes the system's cap with CAP_NET_ADMIN; without it the kernel grants what it allows
  if (!set(C.SOL_SOCKET, C.SO_RCVBUFFORCE, bufferBytes)) set(C.SOL_SOCKET, C.SO_RCVBUF, bufferBytes);
  if (!set(C.SOL_SOCKET, C.SO_SNDBUFFORCE, bufferBytes)) set(C.SOL_SOCKET, C.SO_SNDBUF, bufferBytes);
  if (device !== undefined) bindDevice(libc, fd, device);
}

function bindDevice(libc: Libc, fd: number, device: string): void {
  const name = new TextEncoder().encode(device);
  if (name.length === 0 || name.length > 15) throw new Error(`not a device name: ${device}`); // IFNAMSIZ with its NUL
  const value = memory(16);
  value.u8.set(name);
  if (libc.setsockopt(fd, C.SOL_SOCKET, C.SO_BINDTODEVICE, value.address, name.length + 1) === 0) return;
  const fault = systemError(libc, `setsockopt SO_BINDTODEVICE ${device}`);
  throw fault.code === "EPERM" ? new Unavailable("SO_BINDTODEVICE is not permitted here", { cause: fault }) : fault;
}

function bind(libc: Libc, fd: number, { address, port }: Listen): Endpoint {
  const name = memory(40);
  const length = writeEndpoint(name.view, 0, { address, port });
  if (libc.bind(fd, name.address, length) !== 0) throw systemError(libc, "bind");
  name.view.setUint32(32, length, true);
  if (libc.getsockname(fd, name.address, name.address + 32) !== 0) throw systemError(libc, "getsockname");
  return readEndpoint(name.view, 0);
}
