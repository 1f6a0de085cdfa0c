// The programs of the test with scripts that end anywhere. They are text, because each Node runs them in a process of
// its own.

/**
 * Random operations, ended by vm's timeout or at the end of the stack: no catch and no finally of the layer
 * runs. Arguments: how scripts end, how many there are, and a seed.
 */
export const program = `
  import vm from 'node:vm'
  import { createMemory, GrowableBuffer } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  import { mappings } from '@memlayer/witness'

  const [kind, count, seed] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])]
  let state = seed
  const random = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % n
  }
  const memory = createMemory(createOS(), { scavenge: { lazy: seed % 2 === 1, share: 0 } })
  const page = memory.os.traits.pageSize
  const stat = memory.stat('x')
  const wrong = new Map()
  const note = (what) => wrong.set(what, (wrong.get(what) ?? 0) + 1)
  let [bases, views, buffer] = [[], [], null]
  function begin() {
    bases = []
    views = []
    buffer = new GrowableBuffer(memory, { maximum: 2 ** 26 })
  }

  function operate() {
    const base = bases.length === 0 ? 0 : bases[random(bases.length)]
    const n = (1 + random(8)) * page
    const v = base + random(9) * page
    const what = random(18)
    if (what < 2 || base === 0) bases.push(memory.sysAlloc(16 * page, stat))
    else if (what === 2) memory.sysUnused(v, n)
    else if (what === 3) memory.sysUsed(v, n)
    else if (what === 4) memory.sysFault(v, n)
    else if (what === 5) memory.sysMap(v, n, stat)
    else if (what === 6) memory.sysFree(v, n, null)
    else if (what < 10) {
      const view = memory.view(Uint8Array, v, n)
      views.push([v, n, view])
    } else if (what === 10) buffer.resize(random(2 ** 24))
    else if (what === 11) buffer.discard(0, buffer.length)
    else if (what === 12) {
      const region = memory.reserve(16 * page, { name: 'r' })
      region.commit(0, 8 * page)
      const made = random(2) === 0 ? region.view(Uint8Array, 0, page) : region.window(Uint8Array, 0, page)
      views.push([region.address, page, made])
      if (random(2) === 0) region.free()
      else bases.push(region.address)
    } else if (what === 13) memory.scavenge({ bytes: n })
    else if (what === 14) views.push([buffer.address, buffer.length, buffer.bytes()])
    else if (what < 17) views.push([v + 8, 64, memory.view(Uint8Array, v + 8, 64)])
    else memory.sysUnusedAll([base, page, base + 2 * page, page])
  }
  /** An operation that is refused is none of this program's business. */
  function step() {
    try {
      operate()
    } catch (error) {
      if (error instanceof RangeError) throw error
      if (error.code === undefined || error.code === 'ERR_MEMLAYER_ACCOUNT') note(error.stack)
    }
  }

  const loop = new vm.Script('for (;;) step()')
  const context = vm.createContext({ step })
  let ended = 0
  function stopByTimeout() {
    try {
      loop.runInContext(context, { timeout: 1 })
    } catch (error) {
      if (error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') return note(error.stack)
      ended += 1
    }
  }
  /** Each frame on the way back makes a step with a little more of the stack. */
  function stopByStack() {
    let left = 40 + random(120)
    const more = Array.from({ length: random(30) }, (_, i) => i)
    const dive = (...rest) => {
      try {
        dive(...rest)
      } catch (error) {
        if (!(error instanceof RangeError) || left-- <= 0) throw error
        try {
          step()
        } catch (inner) {
          if (!(inner instanceof RangeError)) throw inner
          ended += 1
        }
        throw error
      }
    }
    try {
      dive(...more)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }

  /** No view over what is not Ready, and nothing Ready that the kernel has not. */
  function compare(withKernel) {
    memory.check()
    const ranges = memory.ranges()
    const endOf = (at, found) => found.reduce((end, [a, b]) => (a <= end && b > end ? b : end), at)
    const readies = ranges.filter((one) => one.state === 'Ready').map(({ address, size }) => [address, address + size])
    for (const [v, n, view] of views) {
      if (view.length > 0 && endOf(v, readies) < v + n) note('a view over what is not Ready')
    }
    if (!withKernel) return
    const writable = mappings().filter(({ permissions }) => permissions.startsWith('rw'))
    const maps = writable.map(({ start, end }) => [start, end])
    for (const [v, end] of readies) if (endOf(v, maps) < end) note('Ready, and the kernel has no pages')
    buffer.resize(Math.max(buffer.length, 5 * page))
    buffer.bytes()[4 * page] = 1
  }
  function empty() {
    buffer.free()
    for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
    if (memory.ranges().length > 0) note('what was freed is still owned')
    memory.check()
  }

  begin()
  for (let i = 1; i <= count; i++) {
    if (kind === 'timeout') stopByTimeout()
    else stopByStack()
    compare(i % 25 === 0)
    if (i % 50 !== 0) continue
    empty()
    begin()
    await new Promise((resolve) => setImmediate(resolve))
  }
  console.log(JSON.stringify({ ended, wrong: [...wrong], retired: memory.stats().retired }))
`

/** What each of the workers runs. */
const workerCode = (makesViews: boolean): string => `
const { parentPort } = process.getBuiltinModule('node:worker_threads')
const packages = Promise.all([import('@memlayer/core'), import('@memlayer/os-linux')])
void packages.then(([{ createMemory }, { createOS }]) => {
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const own = memory.reserve(64 * page)
  own.commit(0, own.size)
  parentPort.on('message', (tokens) => {
    globalThis.kept = tokens.slice(0, 4).map((token) => memory.attach(token).view(Uint8Array).fill(1))
    parentPort.postMessage('has some')
    for (let i = 4; ; i++) {
      const token = tokens[i]
      if (token !== undefined) {
        try {
          const share = memory.attach(token)
          if (${makesViews}) share.view(Uint8Array).fill(i)
          if (i % 3 === 0) share.release()
        } catch (error) {
          // The owner may have revoked it.
          if (error.code !== 'ERR_MEMLAYER_SHARED') throw error
        }
      }
      if (${makesViews}) own.view(Uint8Array, 0, page)[0] = 1
      own.unused(0, 4 * page)
      own.used(0, 4 * page)
    }
  })
})
`

/**
 * Workers that attach, release and give back without end, until their owner terminates them. Argument: how many.
 * `makesViews`: they make views all the time as well. koffi aborts when a worker is terminated within that.
 */
export const workersProgram = (makesViews: boolean): string => `
  import { Worker } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'

  const count = Number(process.argv[1])
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const code = ${JSON.stringify(workerCode(makesViews))}
  const wrong = []
  let refused = 0
  for (let i = 0; i < count; i++) {
    const region = memory.reserve(256 * page, { name: 'shared' })
    region.commit(0, region.size)
    const worker = new Worker(code, { eval: true })
    worker.on('error', (error) => wrong.push(error.stack))
    worker.postMessage(Array.from({ length: 64 }, (_, at) => region.share(worker, 4 * at * page, page)))
    await new Promise((resolve) => worker.once('message', resolve))
    for (let turns = i % 4; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    try {
      region.free()
    } catch (error) {
      if (error.code !== 'ERR_MEMLAYER_SHARED') wrong.push(error.stack)
      refused += 1
    }
    await worker.terminate()
    memory.check()
    // The thread has ended, so nothing keeps the pages.
    if (!region.disposed) region.free()
    memory.check()
  }
  console.log(JSON.stringify({ wrong, refused, ranges: memory.ranges().length }))
`
