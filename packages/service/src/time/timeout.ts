/** An operation did not finish in time. */
export class TimedOut extends Error {
  readonly code = "FL_TIMED_OUT";
}

/** The promise's value, or a rejection with `TimedOut` after `ms`. The operation itself is not cancelled. */
export async function withTimeout<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimedOut(`not done within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
