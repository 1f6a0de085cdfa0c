// In the page: starts a worker, has it run one function of the module under test, and ends it.
export function inWorker(call, args) {
  const worker = new Worker('/worker.js', { type: 'module' })
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => {
      if ('error' in data) reject(new Error(data.error))
      else resolve(data.value)
    })
    worker.addEventListener('error', ({ message }) => reject(new Error(`the worker did not start: ${message}`)))
    worker.postMessage({ call, args })
  }).finally(() => worker.terminate())
}
