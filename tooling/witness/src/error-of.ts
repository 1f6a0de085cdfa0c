// For tests that look at more of an error than its class and its message.

/** Returns the error that `run` throws. @throws Error when it throws none. */
export function errorOf(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('the call should throw an error, but did not')
}
