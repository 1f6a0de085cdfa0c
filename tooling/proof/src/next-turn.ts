// Ends the running job. JavaScript keeps the target of every WeakRef that a job has read until the job ends, so
// thousands of cases in one job would keep the kernels of all of them.

/** Resolves in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
