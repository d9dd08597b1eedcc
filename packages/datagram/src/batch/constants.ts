/** Linux's numbers, the same on x86-64 and arm64 (include/uapi/asm-generic/socket.h, linux/in.h, linux/in6.h). */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK

export const SOL_SOCKET = 1;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_REUSEPORT = 15;
export const SO_BINDTODEVICE = 25;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_RXQ_OVFL = 40;

export const IPPROTO_IP = 0;
export const IP_PKTINFO = 8;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;

export const SOL_UDP = 17;
export const UDP_SEGMENT = 103;

export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const POLLIN = 1;
export const EFD_FLAGS = 0o2004000; // EFD_CLOEXEC | EFD_NONBLOCK

export const EINTR = 4;
export const EIO = 5;
export const EBADF = 9;
export const EAGAIN = 11;
export const EFAULT = 14;
export const EINVAL = 22;
export const ENOTSOCK = 88;
