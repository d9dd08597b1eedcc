/** Floor 2. The pure core of the IPAM: model, settings, policy, allocation, names → records. Nothing here does I/O. */
export { type Affected, affectedBy } from "./names/affected.ts";
export { candidate } from "./allocation/allocate.ts";
export type { Ground, Asked } from "./allocation/request.ts";
export { isAssignable } from "./allocation/assignable.ts";
export { freeAt } from "./allocation/free.ts";
export { EDIT_REASONS, type EditReason } from "./model/edit-reasons.ts";
export * from "./policy/reasons.ts";
export * from "./config.ts";
export { isDraining, type Term, termOf } from "./policy/drain.ts";
export type * from "./feed/feed.ts";
export type { FieldTable } from "./fields/field.ts";
export * from "./fields/lists.ts";
export { PREFIX_FIELDS } from "./fields/prefix.ts";
export { RESERVATION_FIELDS } from "./fields/reservation.ts";
export { POOLED_FIELDS, SEGMENT_FIELDS } from "./fields/segment.ts";
export { SEGMENT_OPTION_FIELDS } from "./fields/segment-option.ts";
export { readValues, writeValues } from "./fields/values.ts";
export * from "./model/identity.ts";
export { keyOf } from "./model/key.ts";
export type * from "./model/lease.ts";
export type * from "./model/model.ts";
export { labelBase, labelOf, slug } from "./names/naming.ts";
export type * from "./pool/pool.ts";
export type { PoolForm, PoolKind } from "./pool/slot.ts";
export * from "./names/records.ts";
export type { DnsRecord } from "./names/dns-record.ts";
export { EVERYTHING, type Holding, type IndexName } from "./replica/holding.ts";
export type * from "./replica/replica.ts";
export { addressOfReverse, reverseName, reverseZones } from "./names/reverse.ts";
export {
  assignableIn,
  forecast,
  type Line,
  type PoolUse,
  type Use,
  usedOf,
  type Utilisation,
} from "./usage/utilisation.ts";
export { nameServersOf, type Soa, type Zone, zonesOf } from "./names/zones.ts";
