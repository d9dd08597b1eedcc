import type { ExpectedDevice, Role, Segment } from "../model/model.ts";

/** The suffix after the machine's name or serial in the label of its interface, by role. */
export const SUFFIX: Readonly<Record<Role, string>> = {
  host: "",
  host_bmc: "-bmc",
  dpu_oob: "-dpu",
  dpu_bmc: "-dpu-bmc",
  other: "-other",
};

/** The default label of a machine's interface, by role. */
export function labelBase(machine: string, role: Role): string {
  return `${machine}${SUFFIX[role]}`.toLowerCase();
}

/** The subdomain in which an interface has its machine's name, by role: `r1-m01.bmc.rack.internal`. */
export const BRANCH: Readonly<Partial<Record<Role, string>>> = { host: "adm", host_bmc: "bmc" };

/** The fields of a device that make its name: a row of the database or of the model. */
export type Named = Pick<ExpectedDevice, "label" | "machine" | "role"> & { readonly serial?: string | null };

/** The label of a known device by the segment's naming. A stranger's name is derived from its address or MAC. */
const LABEL: Readonly<Record<Segment["naming"], (device: Named) => string | undefined>> = {
  address: ({ label }) => label,
  mac: ({ label }) => label,
  declared: ({ label }) => label,
  serial: ({ serial, role, label }) => (typeof serial !== "string" ? label : slug(serial, SUFFIX[role])),
  machine: ({ machine, role }) => slug(machine, SUFFIX[role]),
};

/** The host label of an expected device on a segment; `undefined` for a stranger, or if the texts give no label. */
export function labelOf(naming: Segment["naming"], device: Named | undefined): string | undefined {
  return device && LABEL[naming](device);
}

/** A host label made from any text (RFC 1123 §2.1): letters, digits and inner hyphens, 63 in all. */
export function slug(text: string, suffix = ""): string | undefined {
  const bare = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63 - suffix.length)
    .replaceAll(/^-+|-+$/g, "");
  return bare === "" ? undefined : bare + suffix;
}
