// Buffers of each kind that an engine makes are adopted, changed, released and collected. kinds.test.ts runs this file
// on each engine and reads what was wrong and what is left. The argument is how many of each kind there are.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemory } from '@memlayer/core'
import { adopt, createOS } from '@memlayer/os-engine'

const memory = createMemory(createOS())
const count = Number(process.argv[2])
const KiB = 1024
const wasmPage = 64 * KiB
const size = 4 * wasmPage

/** Each makes what is adopted, and how its bytes are viewed now. */
const kinds = {
  ArrayBuffer: () => new ArrayBuffer(size),
  'resizable ArrayBuffer': () => new ArrayBuffer(size, { maxByteLength: 2 * size }),
  SharedArrayBuffer: () => new SharedArrayBuffer(size),
  'growable SharedArrayBuffer': () => new SharedArrayBuffer(size, { maxByteLength: 2 * size }),
  'WebAssembly.Memory': () => new WebAssembly.Memory({ initial: size / wasmPage }),
  'shared WebAssembly.Memory': () => new WebAssembly.Memory({ initial: 4, maximum: 8, shared: true }),
}
/** Each changes a buffer's length or place, as other code may while it is adopted. */
const changes = {
  'resizable ArrayBuffer': (buffer) => buffer.resize(2 * size),
  'growable SharedArrayBuffer': (buffer) => buffer.grow(2 * size),
  'WebAssembly.Memory': (wasm) => wasm.grow(4),
  'shared WebAssembly.Memory': (wasm) => wasm.grow(4),
}

function live(kind, make, number) {
  const holder = make()
  const bytesNow = () => new Uint8Array(holder.buffer ?? holder)
  const adopted = adopt(holder, { name: kind })
  bytesNow().fill(7)
  const given = adopted.unused(wasmPage, wasmPage)
  const bytes = bytesNow()
  const middle = wasmPage + wasmPage / 2
  const isRight = bytes[0] === 7 && bytes[size - 1] === 7 && bytes[middle] === (given > wasmPage / 2 ? 0 : 7)
  adopted.zero(wasmPage, wasmPage)
  const isZero = bytesNow()
    .subarray(wasmPage, 2 * wasmPage)
    .every((byte) => byte === 0)
  changes[kind]?.(holder)
  const length = kind in changes ? 2 * size : size
  adopted.populate(0, size)
  adopted.hugePage()
  const isLast = adopted.size === length && bytesNow()[size - 1] === 7
  if (number % 2 === 0) adopted.release()
  return isRight && isZero && isLast && isRightAsRegion(holder, bytesNow)
}

/** The same buffer as a region of a memory, which has to let go of it. */
function isRightAsRegion(holder, bytesNow) {
  bytesNow().fill(9)
  const region = memory.adopt(holder)
  const from = region.byteOffset
  region.unused(0, wasmPage)
  region.commit(0, wasmPage)
  region.zero(wasmPage, wasmPage)
  const bytes = bytesNow()
  const isZero = bytes.subarray(from, from + 2 * wasmPage).every((byte) => byte === 0)
  const isKept = region.view(Uint8Array, 2 * wasmPage, 1)[0] === 9 && bytes.at(-1) === 9
  region.release()
  memory.check()
  const isLeft = memory.stats().total.ready === 0 && bytesNow().at(-1) === 9
  // Those that wait to be collected shall have little memory: the test looks for what is never collected.
  const again = memory.adopt(holder)
  again.unused()
  again.release()
  return isZero && isKept && isLeft
}

// V8 takes an argument of true for a collection of young objects alone.
const collect = globalThis.gc ?? (() => globalThis.Bun.gc(true))
const settle = async () => {
  for (let i = 0; i < 8; i++) {
    collect()
    await sleep(50)
  }
}
const figures = () => ({
  mappings: readFileSync('/proc/self/maps', 'latin1').split('\n').length,
  resident: Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]) * 4096,
})

async function round(times) {
  const wrong = []
  for (const [kind, make] of Object.entries(kinds)) {
    for (let number = 0; number < times; number++) {
      if (!live(kind, make, number)) wrong.push(kind)
      if (number % 50 === 49) await sleep(0)
    }
  }
  await settle()
  return wrong
}

const wrong = await round(count)
const before = figures()
wrong.push(...(await round(count)))
const after = figures()
console.log(
  JSON.stringify({
    wrong,
    mappings: after.mappings - before.mappings,
    grownMiB: (after.resident - before.resident) / 2 ** 20,
  }),
)
