import { registry } from "../registry.ts";

/** DHCP message types, option 53: RFC 2132 §9.6, RFC 3203, RFC 4388, RFC 6926, RFC 7724. */
export const messageTypes = registry("TYPE", {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
  RELEASE: 7,
  INFORM: 8,
  FORCERENEW: 9,
  LEASEQUERY: 10,
  LEASEUNASSIGNED: 11,
  LEASEUNKNOWN: 12,
  LEASEACTIVE: 13,
});

/** What option 53 reads as: a name, or `TYPE200` for a number nobody registered. */
export type MessageType = keyof typeof messageTypes.of | `TYPE${number}`;

/**
 * Client system architectures, option 93: RFC 4578 §2.1 as corrected by its erratum and IANA. Firmware sends 7 and
 * 9 alike for x86-64 EFI.
 */
export const clientArchs = registry("ARCH", {
  "x86-bios": 0,
  "nec-pc98": 1,
  "ia64-efi": 2,
  alpha: 3,
  "arc-x86": 4,
  "intel-lean-client": 5,
  "ia32-efi": 6,
  "x64-efi": 7,
  "xscale-efi": 8,
  "x64-efi-ebc": 9,
  "arm32-efi": 10,
  "arm64-efi": 11,
  "powerpc-open-firmware": 12,
  "powerpc-epapr": 13,
  "power-opal-v3": 14,
  "ia32-http": 15,
  "x64-http": 16,
  "ebc-http": 17,
  "arm32-http": 18,
  "arm64-http": 19,
  "pc-bios-http": 20,
  "arm32-uboot": 21,
  "arm64-uboot": 22,
  "arm32-uboot-http": 23,
  "arm64-uboot-http": 24,
  "riscv32-efi": 25,
  "riscv32-http": 26,
  "riscv64-efi": 27,
  "riscv64-http": 28,
  "riscv128-efi": 29,
  "riscv128-http": 30,
  "s390-basic": 31,
  "s390-extended": 32,
  "mips32-efi": 33,
  "mips64-efi": 34,
  "sunway32-efi": 35,
  "sunway64-efi": 36,
  "loongarch32-efi": 37,
  "loongarch32-http": 38,
  "loongarch64-efi": 39,
  "loongarch64-http": 40,
  "arm-rpiboot": 41,
});
