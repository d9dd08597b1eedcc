/** Sheets of the IPAM in CSV, JSON and YAML, and leases of other servers. */
export { createExchange, type Exchange, type Imported, type ImportRequest, type RowChange } from "./exchange.ts";
export { type Format, FORMATS } from "./format.ts";
export { SHEET_KINDS, type SheetKind } from "./kinds.ts";
export { BOUNDS, type Fault, faultText } from "./sheet.ts";
export type { LeaseImport, LeaseOutcome } from "./lease/admit.ts";
export type { Found, FoundLease } from "./lease/found.ts";
export { iscLeases } from "./lease/isc.ts";
export { keaLeases, type KeaRow, keaRows } from "./lease/kea.ts";
