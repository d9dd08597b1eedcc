import type { RelocationEvent } from "../model/relocation-event.ts";
import type { Row } from "../model/model.ts";
import type * as feed from "@firstlight/changefeed";

export type { Position } from "@firstlight/changefeed";

/** The events of the IPAM on the feed, by kind. */
export type Events = {
  /** A device got an address on a segment where it had none before. */
  readonly arrival: RelocationEvent;
};

/** An entry of the feed with the kinds of the IPAM. */
export type Change = feed.Change<Row, Events>;
export type RowChange = feed.RowChange<Row>;
/** An entry as a replica applied it: with the row it replaced. */
export type Applied = feed.Applied<Row, Events>;
