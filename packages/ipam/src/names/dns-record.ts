import type { Malformed } from "@firstlight/wire";
import type { DomainName, RecordData } from "@firstlight/wire/dns";
import type { Name } from "../model/model.ts";

/** One record of the site, typed as it is encoded. Names in it are in lower case, but for those in declared data. */
export interface DnsRecord {
  readonly owner: DomainName;
  readonly type: Name["type"];
  /** Malformed where the data was declared in a form that DNS cannot carry: it is not served, and counted. */
  readonly data: RecordData | Malformed;
  /** Never 0. */
  readonly ttlSeconds: number;
}
