/** One operation of a hot path that is timed in this process. */
export interface Case {
  readonly name: string;
  /** Builds what the operation needs. */
  open(): Promise<OpenCase>;
}

/** A case that is ready to run. */
export interface OpenCase {
  /** Runs the operation `times` times. Its result must be used, or the compiler removes the operation. */
  run(times: number): void | Promise<void>;
  close?(): PromiseLike<void>;
}
