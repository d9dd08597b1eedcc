import type * as feed from "@firstlight/changefeed";
import type { Told } from "./arrival.ts";
import type { Row } from "./model.ts";

export type { Position } from "@firstlight/changefeed";

/** The events of the IPAM on the feed, by kind. */
export type Events = {
  /** A device came to a segment where it was not at home. */
  readonly arrival: Told;
};

/** An entry of the feed with the kinds of the IPAM. */
export type Change = feed.Change<Row, Events>;
export type RowChange = feed.RowChange<Row>;
/** An entry as a replica applied it: with the row it replaced. */
export type Applied = feed.Applied<Row, Events>;
