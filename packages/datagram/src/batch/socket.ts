import { inheritedSocket } from "../inherited.ts";
import type { Endpoint, Listen } from "../port.ts";
import { Unavailable } from "../unavailable.ts";
import * as C from "./constants.ts";
import { type Libc, memory, systemError } from "./libc.ts";
import { readEndpoint, writeEndpoint } from "./sockaddr.ts";

/** Bytes of a device's name with its NUL (linux/if.h). */
const IFNAMSIZ = 16;

export interface Opened {
  readonly fd: number;
  readonly local: Endpoint;
  readonly isInherited: boolean;
}

/**
 * Opens, prepares and binds a socket, or prepares one that was handed over. Throws what the kernel said; `Unavailable` when
 * it is a matter of privilege.
 */
export function openSocket(libc: Libc, options: Listen): Opened {
  const is6 = typeof options.address === "bigint";
  const handed = inheritedSocket(options, (fd) => deviceOf(libc, fd) === (options.device ?? ""));
  if (handed !== undefined) {
    prepare(libc, handed, options, is6);
    return { fd: handed, local: nameOf(libc, handed), isInherited: true };
  }
  const fd = libc.socket(is6 ? C.AF_INET6 : C.AF_INET, C.SOCK_DGRAM | C.SOCK_FLAGS, 0);
  if (fd < 0) throw systemError(libc, "socket");
  try {
    if (is6) must(libc, fd, C.IPPROTO_IPV6, C.IPV6_V6ONLY, "IPV6_V6ONLY"); // one family a port, as on dgram
    if (options.share === true) must(libc, fd, C.SOL_SOCKET, C.SO_REUSEPORT, "SO_REUSEPORT");
    if (options.device !== undefined) bindDevice(libc, fd, options.device);
    prepare(libc, fd, options, is6);
    bind(libc, fd, options);
    return { fd, local: nameOf(libc, fd), isInherited: false };
  } catch (fault) {
    libc.close(fd);
    throw fault;
  }
}

/** What holds of a socket whoever opened it. */
function prepare(libc: Libc, fd: number, { broadcast, bufferBytes = 4 << 20 }: Listen, is6: boolean): void {
  if (broadcast === true) must(libc, fd, C.SOL_SOCKET, C.SO_BROADCAST, "SO_BROADCAST");
  must(libc, fd, C.SOL_SOCKET, C.SO_RXQ_OVFL, "SO_RXQ_OVFL");
  if (is6) must(libc, fd, C.IPPROTO_IPV6, C.IPV6_RECVPKTINFO, "IPV6_RECVPKTINFO");
  else must(libc, fd, C.IPPROTO_IP, C.IP_PKTINFO, "IP_PKTINFO");
  // FORCE passes the system's cap with CAP_NET_ADMIN; without it the kernel grants what it allows
  for (const [force, ask] of [
    [C.SO_RCVBUFFORCE, C.SO_RCVBUF],
    [C.SO_SNDBUFFORCE, C.SO_SNDBUF],
  ] as const) {
    if (!set(libc, fd, C.SOL_SOCKET, force, bufferBytes)) set(libc, fd, C.SOL_SOCKET, ask, bufferBytes);
  }
}

function set(libc: Libc, fd: number, level: number, option: number, to: number): boolean {
  const value = memory(16);
  value.view.setInt32(0, to, true);
  return libc.setsockopt(fd, level, option, value.address, 4) === 0;
}

function must(libc: Libc, fd: number, level: number, option: number, name: string): void {
  if (!set(libc, fd, level, option, 1)) throw refused(libc, name);
}

/** What an option's refusal means: without the privilege another engine may do. */
function refused(libc: Libc, name: string): Error {
  const fault = systemError(libc, `setsockopt ${name}`);
  return fault.code === "EPERM" ? new Unavailable(`${name} is not permitted here`, { cause: fault }) : fault;
}

function bindDevice(libc: Libc, fd: number, device: string): void {
  const name = new TextEncoder().encode(device);
  if (name.length === 0 || name.length >= IFNAMSIZ) throw new Error(`not a device name: ${device}`);
  const value = memory(IFNAMSIZ);
  value.u8.set(name);
  if (libc.setsockopt(fd, C.SOL_SOCKET, C.SO_BINDTODEVICE, value.address, name.length + 1) !== 0) {
    throw refused(libc, `SO_BINDTODEVICE ${device}`);
  }
}

/** The device that a socket is bound to; empty where to none. */
function deviceOf(libc: Libc, fd: number): string {
  const value = memory(IFNAMSIZ + 8);
  value.u32[IFNAMSIZ / 4] = IFNAMSIZ;
  if (libc.getsockopt(fd, C.SOL_SOCKET, C.SO_BINDTODEVICE, value.address, value.address + IFNAMSIZ) !== 0) return "";
  const end = value.u8.indexOf(0);
  return new TextDecoder().decode(value.u8.subarray(0, Math.min(end, IFNAMSIZ)));
}

function bind(libc: Libc, fd: number, { address, port }: Listen): void {
  const name = memory(40);
  const length = writeEndpoint(name.view, 0, { address, port });
  if (libc.bind(fd, name.address, length) !== 0) throw systemError(libc, "bind");
}

function nameOf(libc: Libc, fd: number): Endpoint {
  const name = memory(40);
  name.view.setUint32(32, 32, true);
  if (libc.getsockname(fd, name.address, name.address + 32) !== 0) throw systemError(libc, "getsockname");
  return readEndpoint(name.view, 0);
}
