import type { ExpectedDevice, Role, Segment } from "../model/model.ts";

/** What follows the machine's name, or its serial, in the label of its interfaces. */
export const SUFFIX: Readonly<Record<Role, string>> = {
  host: "",
  host_bmc: "-bmc",
  dpu_oob: "-dpu",
  dpu_bmc: "-dpu-bmc",
  other: "-other",
};

/** What a machine's interface of a role is called where nothing else is said. */
export function labelBase(machine: string, role: Role): string {
  return `${machine}${SUFFIX[role]}`.toLowerCase();
}

/** Where a machine's own interfaces are found by the machine's name: `r1-m01.bmc.rack.internal`. */
export const BRANCH: Readonly<Partial<Record<Role, string>>> = { host: "adm", host_bmc: "bmc" };

/** A device as far as its name goes: a row of the database or of the model. */
export type Named = Pick<ExpectedDevice, "label" | "machine" | "role"> & { readonly serial?: string | null };

/** The label that a segment's naming wants for a device it knows; of a stranger the name is made of what it has. */
const LABEL: Readonly<Record<Segment["naming"], (device: Named) => string | undefined>> = {
  address: ({ label }) => label,
  mac: ({ label }) => label,
  declared: ({ label }) => label,
  serial: ({ serial, role, label }) => (typeof serial !== "string" ? label : slug(serial, SUFFIX[role])),
  machine: ({ machine, role }) => slug(machine, SUFFIX[role]),
};

/** The host label of an expected device on a segment; `undefined` for a stranger, or where nothing can be made of it. */
export function labelOf(naming: Segment["naming"], device: Named | undefined): string | undefined {
  return device && LABEL[naming](device);
}

/** A host label of any text (RFC 1123 §2.1): letters, digits and inner hyphens, 63 in all. */
export function slug(text: string, suffix = ""): string | undefined {
  const bare = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63 - suffix.length)
    .replaceAll(/^-+|-+$/g, "");
  return bare === "" ? undefined : bare + suffix;
}
