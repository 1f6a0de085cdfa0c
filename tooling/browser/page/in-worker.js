// Runs in the page. It starts a worker, which runs one function of the module under test, and then ends the worker.
export function inWorker(call, args) {
  const worker = new Worker('/worker.js', { type: 'module' })
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => {
      // In a worker of a worker nothing records them.
      globalThis.memlayerComplaints?.push(...data.complaints)
      if ('error' in data) reject(new Error(data.error))
      else resolve(data.value)
    })
    worker.addEventListener('error', ({ message }) =>
      reject(new Error(`the worker did not load /worker.js: ${message}`)),
    )
    worker.postMessage({ call, args })
  }).finally(() => worker.terminate())
}
