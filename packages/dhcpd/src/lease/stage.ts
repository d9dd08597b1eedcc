/** Which program of a machine sent the packet: its firmware, iPXE, or a system (of a BMC, an initrd or an installed disk). */
export type Stage = "rom" | "ipxe" | "os";
