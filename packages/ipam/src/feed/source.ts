import type * as feed from "@firstlight/changefeed";
import { SourceFault } from "@firstlight/changefeed";
import type { Events } from "./feed.ts";
import type { Row } from "../model/model.ts";

export { RolledBack } from "@firstlight/changefeed";

/** The source of a replica's rows: PostgreSQL in a site, a list in a test. */
export type Source = feed.Source<Row, Events>;
export type Loaded = feed.Loaded<Row>;
export type Pulled = feed.Pulled<Row, Events>;

/** The database answers, but has no schema `ipam`. */
export class Unmigrated extends SourceFault {
  readonly code = "FL_UNMIGRATED";

  constructor(cause: unknown) {
    super("database has no schema ipam (run: firstlight migrate)", { cause });
  }
}
