// One life of a memory, in a process that its host limits: hosts.test.ts starts it under each situation. It uses all
// that a program uses, and holds each result against what is promised. It prints what broke a promise, what was
// refused, and what the layer says of its host. A program that prints nothing was ended.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isMainThread, Worker } from 'node:worker_threads'
import { createMemory, GrowableBuffer, MemlayerError } from 'memlayer'
import { createOS, hostChoice } from 'memlayer/os'
import { doctor } from '../dist/doctor.js'

const MiB = 2 ** 20
if (process.argv.includes('--lock')) lockAll()
const wrong = []
const refused = []
const memory = createMemory(createOS())
const choice = hostChoice()
const { pageSize, unusedDropsContents } = memory.os.traits

/** Runs one step. The layer may refuse it by an error of its own. Any other error is wrong. */
function step(name, run) {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof MemlayerError) || error.code === 'ERR_MEMLAYER_FATAL' || !error.hint)
      wrong.push(`${name} throws ${error?.code ?? ''} ${error?.stack ?? error}`)
    else refused.push(`${name}: ${error.code} ${error.message}`)
  } finally {
    compare(name)
  }
  return undefined
}

function expectThat(holds, says) {
  if (!holds) wrong.push(says)
}

function isAll(bytes, value) {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== value) return false
  return bytes.length > 0
}

/** The kernel's mappings that have a part of [v, v+n), or null where it does not show them. */
function mappingsIn(v, n) {
  let text
  try {
    text = readFileSync('/proc/self/maps', 'latin1')
  } catch {
    return null
  }
  const found = []
  for (const line of text.split('\n')) {
    const [, from, to, permissions] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? []
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)]
    if (start < v + n && end > v) found.push({ start: Math.max(start, v), end: Math.min(end, v + n), permissions })
  }
  return found
}

/** The account's states against the kernel's permissions. */
function compare(name) {
  memory.check()
  if (memory.os.name !== 'linux') return
  for (const { address, size, state } of memory.ranges()) {
    const found = mappingsIn(address, size)
    if (found === null) continue
    const covered = found.reduce((sum, { start, end }) => sum + end - start, 0)
    const allowed = state === 'Reserved' ? '---p' : 'rw-p'
    if (covered !== size || found.some(({ permissions }) => permissions !== allowed))
      wrong.push(`after ${name}, ${size} bytes are ${state}, and the kernel has ${JSON.stringify(found)}`)
  }
}

function liveRegion() {
  const size = 16 * MiB
  const region = step('reserve', () => memory.reserve(size, { name: 'life' }))
  if (region === undefined) return
  const { address } = region
  step('commit', () => {
    region.commit(0, size)
    const bytes = region.view(Uint8Array)
    expectThat(isAll(bytes, 0), 'committed memory is not zero')
    bytes.fill(7)
    expectThat(isAll(bytes, 7), 'memory does not keep what was written')
  })
  step('hugePage', () => region.hugePage(0, 8 * MiB))
  step('unused', () => region.unused(MiB, 2 * MiB))
  step('used', () => {
    region.used(MiB, 2 * MiB)
    if (unusedDropsContents)
      expectThat(isAll(region.view(Uint8Array, MiB, 2 * MiB), 0), 'used after unused is not zero')
    expectThat(isAll(region.view(Uint8Array, 0, MiB), 7), 'unused changed its neighbour')
  })
  step('unusedAll', () => {
    region.unusedAll([4 * MiB, MiB, 6 * MiB, MiB, 8 * MiB, MiB])
    region.commit(4 * MiB, 8 * MiB)
    for (const at of [4, 6, 8])
      expectThat(isAll(region.view(Uint8Array, at * MiB, MiB), 0), 'used after unusedAll is not zero')
    expectThat(isAll(region.view(Uint8Array, 5 * MiB, MiB), 7), 'unusedAll changed its neighbour')
  })
  step('populate', () => {
    const answer = region.populate(4 * MiB, MiB)
    expectThat(typeof answer === 'boolean', `populate answers ${String(answer)}`)
  })
  step('residency', () => tellResidency(address, size))
  step('fault', () => {
    region.fault(12 * MiB, MiB)
    expectThat(isAll(region.view(Uint8Array, 11 * MiB, MiB), 7), 'fault changed its neighbour')
  })
  step('map again', () => {
    region.commit(12 * MiB, MiB)
    expectThat(isAll(region.view(Uint8Array, 12 * MiB, MiB), 0), 'memory that is mapped again is not zero')
  })
  step('free', () => region.free())
}

const told = {}

function tellResidency(v, n) {
  const found = memory.residency(v, n)
  told.residency = found === null ? null : found.resident
  if (found !== null) expectThat(found.resident >= 0 && found.resident <= n, `residency answers ${found.resident}`)
}

function liveBuffer() {
  const buffer = step('GrowableBuffer', () => new GrowableBuffer(memory, { maximum: 64 * MiB, length: 4 * MiB }))
  if (buffer === undefined) return
  step('grow', () => {
    buffer.bytes().fill(3)
    buffer.grow(4 * MiB)
    expectThat(isAll(buffer.view(Uint8Array, 4 * MiB, 4 * MiB), 0), 'grown bytes are not zero')
  })
  step('discard', () => {
    buffer.discard(MiB, MiB)
    expectThat(isAll(buffer.view(Uint8Array, MiB, MiB), 0), 'discarded bytes are not zero')
    expectThat(isAll(buffer.view(Uint8Array, 0, MiB), 3), 'discard changed its neighbour')
  })
  step('resize', () => {
    buffer.resize(MiB)
    buffer.resize(4 * MiB)
    expectThat(isAll(buffer.view(Uint8Array, MiB, 3 * MiB), 0), 'bytes after a shrink are not zero')
  })
  step('free of the buffer', () => buffer.free())
}

function liveRaw() {
  const stat = memory.stat('raw')
  const v = step('sysAlloc', () => memory.sysAlloc(MiB, stat))
  if (v === undefined) return
  step('sysUnused', () => memory.sysUnused(v, 64 * pageSize))
  step('sysUnusedAll', () => memory.sysUnusedAll([v + 128 * pageSize, pageSize, v + 192 * pageSize, pageSize]))
  step('sysUsed', () => memory.sysUsed(v, MiB))
  step('sysFree', () => memory.sysFree(v, MiB, stat))
  expectThat(
    mappingsIn(v, MiB)?.some(({ permissions }) => permissions === 'rw-p') !== true || wasKept(),
    'sysFree kept the range',
  )
}

/** A range that was freed may be kept as zeroes: see `stats().retired`. */
function wasKept() {
  return memory.stats().retired > 0 || refused.length > 0
}

/** What the layer says of its host. Nothing may throw. */
function tell() {
  for (const [name, ask] of [
    ['limits', () => memory.os.host?.limits?.() ?? null],
    ['explain', () => memory.explain()],
    ['mappings', () => memory.mappings()],
    ['trimHost', () => memory.trimHost()],
    ['stats', () => memory.stats().total.held],
  ]) {
    try {
      told[name] = ask()
    } catch (error) {
      wrong.push(`${name} throws ${error?.stack ?? error}`)
    }
  }
}

/** mlockall(MCL_FUTURE), which a program does for itself: it is not inherited. */
function lockAll() {
  const backend = createRequire(createRequire(import.meta.url).resolve('@memlayer/os-linux'))
  const koffi = createRequire(backend.resolve('@memlayer/ffi'))(`@koromix/koffi-${process.platform}-${process.arch}`)
  if (koffi.load(null).func('mlockall', 'int', ['int'])(2) === 0) return
  console.log('{"skipped":"needs the right to lock memory"}')
  process.exit(0)
}

/** A worker that ends has 16 MiB. They have to be given back, in whatever way it ended. */
async function liveWorker() {
  const worker = new Worker(new URL(import.meta.url))
  await new Promise((resolve) => worker.on('exit', resolve))
  const left = memory.explain()?.otherThreads ?? 0
  told.left = left
}

if (!isMainThread) {
  memory.sysAlloc(16 * MiB, null)
  process.exit(0)
}

const warnings = []
process.on('warning', ({ code, message }) => warnings.push(`${code ?? ''} ${message}`))
liveRegion()
liveBuffer()
liveRaw()
tell()
if (process.argv.includes('--worker')) await liveWorker()
if (process.argv.includes('--doctor')) told.doctor = doctor(Object.assign(createMemory(createOS()), { choice }))
liveRegion()
// The engine lives on: it needs memory of its own.
const grown = Array.from({ length: 200_000 }, (_, i) => ({ i }))
await new Promise((resolve) => setTimeout(resolve, 1))
const returned = memory.os.traits.unusedReturnsMemory
console.log(JSON.stringify({ wrong, refused, warnings, returned, grown: grown.length, ...told }))
