import type { Decision } from "@firstlight/api-client";
import type { Requester } from "./requester.ts";

/** What the documents of a seed are made from. */
export interface Seed {
  readonly decision: Pick<Decision, "machineId" | "machineName" | "userData">;
  readonly requester: Pick<Requester, "mac" | "label">;
  /** Differs between two tasks of a machine: cloud-init does its work once per instance. */
  readonly task: string;
}

const NOTHING = "#cloud-config\n{}\n";

/** The files of a NoCloud seed below `s=`, by name. Add a row, not a branch. */
export const DOCUMENTS = {
  "meta-data": ({ decision, requester, task }: Seed): string =>
    yaml({
      "instance-id": task === "" ? decision.machineId : `${decision.machineId}-${task}`,
      "local-hostname": hostLabel(requester.label ?? decision.machineName),
    }),
  "user-data": ({ decision }: Seed): string => decision.userData ?? NOTHING,
  "vendor-data": (): string => NOTHING,
  "network-config": ({ requester }: Seed): string =>
    `version: 2\nethernets:\n  boot:\n    match:\n      macaddress: ${quoted(requester.mac)}\n    dhcp4: true\n`,
} as const;

export type DocumentName = keyof typeof DOCUMENTS;

function yaml(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}: ${quoted(value)}\n`)
    .join("");
}

/** A YAML double-quoted scalar (YAML 1.2 §7.3.1): JSON's escapes are all among YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** RFC 1123 §2.1: letters, digits and hyphens, at most 63. */
function hostLabel(text: string): string {
  const label = text
    .split(".")[0]!
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+/g, "")
    .slice(0, 63)
    .replaceAll(/-+$/g, "");
  return label === "" ? "machine" : label;
}
