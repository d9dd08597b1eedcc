/** The world did not answer in time. */
export class TimedOut extends Error {
  readonly code = "FL_TIMED_OUT";
}

/** The promise's value, or a rejection after `ms`. What was started is not stopped by it. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimedOut(`not done within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
