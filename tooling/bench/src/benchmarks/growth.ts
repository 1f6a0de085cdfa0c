// A buffer grows step by step and keeps its bytes. Beside it stand the ways that JavaScript has for that.
import { GrowableBuffer } from '@memlayer/core'
import { alignUp } from '@memlayer/kernel'
import { collect, rounds, type Benchmark, type Settings } from '../benchmark.js'
import type { Comparison, Goal } from '../comparison.js'
import { MiB, openMemory } from '../layer.js'
import { ratio, spread, takeTurns, type Contender } from '../measure.js'

const STEP_BYTES = 4 * MiB

/**
 * Touches `bytes` bytes of memory and gives them back. In a virtual machine, some free pages have no memory of the
 * host: new ones, and those that the host has taken back. The first touch of such a page costs ten times as much.
 * Without this function, the contender that gets such pages would also measure the host.
 */
function touchAhead(bytes: number): void {
  const whole = alignUp(bytes, 64 * MiB)
  using region = openMemory().reserve(whole, { hugePages: 'on' })
  for (let at = 0; at < whole; at += 64 * MiB) {
    region.commit(at, 64 * MiB)
    region.populate(at, 64 * MiB)
  }
}

/**
 * Measures one whole growth. `grow` makes the buffer `length` bytes long and returns the new bytes. After the clock
 * has stopped, the contender checks the kept bytes and closes the buffer.
 */
function growing(
  size: number,
  open: () => { grow(length: number): Uint8Array; at(offset: number): number; close?(): void },
): Contender {
  return {
    batch(): number {
      touchAhead(size)
      const start = performance.now()
      const grown = open()
      for (let length = STEP_BYTES; length <= size; length += STEP_BYTES) grown.grow(length).fill(length / STEP_BYTES)
      const ms = performance.now() - start
      for (let at = 0; at < size; at += STEP_BYTES) {
        if (grown.at(at) !== (at / STEP_BYTES + 1) % 256) throw new Error(`the bytes at ${at} were lost`)
      }
      grown.close?.()
      collect()
      return ms * 1e6
    },
  }
}

function ways(size: number): Record<'memlayer' | 'copy' | 'resizable' | 'wasm', Contender> {
  const memory = openMemory()
  return {
    memlayer: growing(size, () => {
      const buffer = new GrowableBuffer(memory, { maximum: size })
      return {
        grow: (length) => buffer.view(Uint8Array, buffer.grow(STEP_BYTES), length - (length - STEP_BYTES)),
        at: (offset) => buffer.view(Uint8Array, offset, 1)[0] ?? -1,
        close: () => buffer.free(),
      }
    }),
    copy: growing(size, () => {
      let buffer = Buffer.alloc(0)
      return {
        grow(length) {
          const larger = Buffer.allocUnsafeSlow(length)
          buffer.copy(larger)
          buffer = larger
          return larger.subarray(length - STEP_BYTES)
        },
        at: (offset) => buffer[offset] ?? -1,
      }
    }),
    resizable: growing(size, () => {
      const buffer = new ArrayBuffer(0, { maxByteLength: size })
      return {
        grow(length) {
          buffer.resize(length)
          return new Uint8Array(buffer, length - STEP_BYTES, STEP_BYTES)
        },
        at: (offset) => new Uint8Array(buffer, offset, 1)[0] ?? -1,
      }
    }),
    wasm: growing(size, () => {
      const wasm = new WebAssembly.Memory({ initial: 0, maximum: size / 65536 })
      return {
        grow(length) {
          wasm.grow(STEP_BYTES / 65536)
          return new Uint8Array(wasm.buffer, length - STEP_BYTES, STEP_BYTES)
        },
        at: (offset) => new Uint8Array(wasm.buffer, offset, 1)[0] ?? -1,
      }
    }),
  }
}

export const growth: Benchmark = {
  name: 'growth',
  says: 'a buffer that grows to 512 MiB in steps of 4 MiB, each filled',
  async run(settings: Settings) {
    const size = settings.quick ? 4 * STEP_BYTES : 512 * MiB
    const { memlayer, copy, resizable, wasm } = await takeTurns(
      ways(size),
      rounds(settings, { rounds: 7, warmUp: 1, times: 1 }),
    )
    const line = (beside: string, theirs: readonly number[], goal: Goal): Comparison => ({
      work: 'growing to 512 MiB by 4 MiB, filled',
      unit: 'ns',
      ours: spread(memlayer),
      beside,
      theirs: spread(theirs),
      measure: 'faster',
      result: ratio(theirs, memlayer),
      goal,
    })
    return [
      line('Buffer, by copy', copy, { kind: 'least', value: 20 }),
      line('resizable ArrayBuffer', resizable, { kind: 'least', value: 1 }),
      line('WebAssembly.Memory', wasm, { kind: 'least', value: 1 }),
    ]
  },
}
