// Code of the program that runs in the midst of a call, on the real kernel: new bytes read zero all the same, and
// copies take as many bytes as there are.
import { createMemory, GrowableBuffer } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

/** Runs `run` once. */
function once(run: () => void): () => void {
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    run()
  }
}

describe.skipIf(process.platform !== 'linux')('a growable buffer that is resized in the midst of a resize', () => {
  const MiB = 2 ** 20
  it.each([
    ['a shrink', 'sysUnused', 4 * MiB],
    ['a growth', 'sysUsed', 0],
  ] as const)('has the length of the outer call, and new bytes read zero: %s', (_, when, from) => {
    for (const drops of [true, false]) {
      const memory = createMemory(createOS({ madvDontNeed: drops }))
      const buffer = new GrowableBuffer(memory, { maximum: 16 * MiB, length: from, hugePages: 'off' })
      buffer.bytes().fill(1)
      const run = once(() => {
        buffer.resize(3 * MiB)
        buffer.bytes().fill(1)
      })
      const end = memory.observe(({ op }) => {
        if (op === when) run()
      })
      buffer.resize(MiB)
      end()
      expect(buffer.length).toBe(MiB)
      buffer.resize(5 * MiB)
      expect(buffer.bytes().indexOf(1, MiB)).toBe(-1)
      buffer.free()
      memory.check()
    }
  })

  it('reads zero after a shrink that a script left and another one that came to its end', () => {
    const memory = createMemory(createOS())
    const buffer = new GrowableBuffer(memory, { maximum: 8 * MiB, length: 4 * MiB, hugePages: 'off' })
    buffer.bytes().fill(1)
    const { sysUnusedOS } = memory.os
    memory.os.sysUnusedOS = () => {
      throw new Error('the script has ended')
    }
    expect(() => buffer.resize(2 * MiB)).toThrow()
    memory.os.sysUnusedOS = sysUnusedOS
    buffer.resize(MiB)
    buffer.resize(8 * MiB)
    expect(buffer.bytes().indexOf(1, MiB)).toBe(-1)
  })
})

describe.skipIf(process.platform !== 'linux')('copies (need Linux)', () => {
  it('are of as many bytes as the engine knows of, whatever the properties of arrays say', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const memory = createMemory(createOS())
      const region = memory.reserve(2 ** 20)
      region.commit()
      region.view(Uint8Array).fill(7)
      const target = new Uint8Array(16)
      const rest = new Uint8Array(target.buffer, 8)
      const prototype = Object.getPrototypeOf(Uint8Array.prototype)
      const before = Object.getOwnPropertyDescriptor(prototype, 'byteLength')
      const copies = (byteLength) => {
        Object.defineProperty(prototype, 'byteLength', { configurable: true, get: byteLength })
        try {
          region.read(0, target.subarray(0, 8))
          region.write(0, new Uint8Array(16))
        } finally {
          Object.defineProperty(prototype, 'byteLength', before)
        }
      }
      copies(function () { return before.get.call(this) === 8 ? 8 : 2 ** 24 })
      const first = [...target]
      copies(() => 2 ** 24)
      const lying = Object.defineProperty(new Uint8Array(8), 'byteLength', { value: 2 ** 24 })
      region.read(16, lying)
      console.log(JSON.stringify([first, [...rest], [...lying], [...region.view(Uint8Array, 14, 4)]]))
    `,
      { from: import.meta.dirname },
    )
    const [seven, zero] = [Array<number>(8).fill(7), Array<number>(8).fill(0)]
    expect(child).toMatchObject({ code: 0, signal: null })
    expect(JSON.parse(child.stdout)).toEqual([[...seven, ...zero], zero, seven, [0, 0, 7, 7]])
  })
})
