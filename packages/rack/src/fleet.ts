import { formatMac, type Mac } from "@firstlight/wire";

/** The hardware identity of a machine. The rack's firmware knows no address and no name. */
export type Role = "host" | "host_bmc" | "dpu_oob";
export const ROLES: readonly Role[] = ["host", "host_bmc", "dpu_oob"];

export interface FleetMachine {
  readonly name: string;
  readonly serial: string;
  readonly interfaces: readonly { readonly role: Role; readonly mac: string }[];
}

const LOCAL_OUI = 0x02f1; // locally administered: no vendor has it
const MACHINES_A_RACK = 48;

/** The machines of a rack, the same for the simulation and for the site's `expectedMachines`: a function of the count. */
export function fleet(count: number): FleetMachine[] {
  return Array.from({ length: count }, (_, index) => ({
    name: nameOf(index),
    serial: `FL-SIM-${String(index + 1).padStart(5, "0")}`,
    interfaces: ROLES.map((role) => ({ role, mac: formatMac(macOf(index, role)) })),
  }));
}

/** `r1-m01` … `r1-m48`, `r2-m01` … */
export function nameOf(index: number): string {
  return `r${Math.floor(index / MACHINES_A_RACK) + 1}-m${String((index % MACHINES_A_RACK) + 1).padStart(2, "0")}`;
}

export function macOf(index: number, role: Role): Mac {
  return LOCAL_OUI * 2 ** 32 + index * 16 + ROLES.indexOf(role);
}
