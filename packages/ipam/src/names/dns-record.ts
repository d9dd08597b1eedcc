import type { Malformed } from "@firstlight/wire";
import type { DomainName, RecordData } from "@firstlight/wire/dns";
import type { Name } from "../model/model.ts";

/** One record of the site, typed as it is encoded. Names are in lower case, except in declared data. */
export interface DnsRecord {
  readonly owner: DomainName;
  readonly type: Name["type"];
  /** Malformed if the data was declared in a form that DNS cannot carry: the record is counted and not served. */
  readonly data: RecordData | Malformed;
  /** Never 0. */
  readonly ttlSeconds: number;
}
