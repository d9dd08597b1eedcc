/** What is wrong with a row, and in which of its cells. */
export interface CellFault {
  readonly column: string;
  readonly because: string;
}
