/** One operation of a hot path, timed in this process: what it is, and what it stands on. */
export interface Case {
  readonly name: string;
  open(): Promise<Opened>;
}

export interface Opened {
  /** Does the operation so many times. What it comes to must be used, or the compiler leaves it out. */
  run(times: number): void | Promise<void>;
  close?(): PromiseLike<void>;
}
