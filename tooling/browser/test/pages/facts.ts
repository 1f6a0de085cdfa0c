// Functions that report facts about the page or the worker that runs them.
export function run(): unknown {
  return {
    isolated: globalThis.crossOriginIsolated,
    worker: typeof document === 'undefined',
    // By its name, because WebKitGTK has shared memories without a global SharedArrayBuffer.
    shared: Object.prototype.toString.call(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer),
  }
}

export async function sum(...numbers: number[]): Promise<number> {
  await Promise.resolve()
  return numbers.reduce((total, n) => total + n, 0)
}

export function fail(): never {
  throw new RangeError('thrown on purpose')
}

export function complain(): void {
  console.log('quiet')
  console.warn('a warning')
  console.error('an error')
  void Promise.reject(new Error('uncaught on purpose'))
}
