// A shared heap in several threads of the engine. Each program has a process of its own.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { isLong, testSeed } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const backends = ['@memlayer/os-linux', '@memlayer/os-engine'] as const

/** What a program in this folder prints as JSON. */
function told(program: string, ...args: readonly unknown[]): unknown {
  const words = ['--expose-gc', join(import.meta.dirname, program), ...args.map(String)]
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    timeout: isLong ? 900_000 : 60_000,
  })
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  return JSON.parse(stdout)
}

describe.skipIf(process.platform !== 'linux')('two threads that free the objects of each other (need Linux)', () => {
  it.each(backends)('lose none, and hand none out twice: %s', (backend) => {
    const turns = isLong ? 500_000 : 30_000
    expect(told('exchange.mjs', backend, turns)).toEqual({
      threads: 2,
      refusedDestroy: 'ERR_MEMLAYER_SHARED',
      made: 2 * turns,
      freed: 2 * turns,
      wrong: 0,
      // Each of 20,000 objects was freed by both.
      twice: 20_000,
      objects: 0,
      orphans: 0,
      after: 1,
      full: 'ERR_MEMLAYER_OUT_OF_MEMORY',
      used: 0,
      codes: ['ERR_MEMLAYER_SHARED', 'ERR_MEMLAYER_SHARED', 'ERR_MEMLAYER_DISPOSED'],
      held: 0,
    })
  })
})

describe.skipIf(process.platform !== 'linux')(
  'four threads, of which one is killed again and again (need Linux)',
  () => {
    it.each(backends)('keep all that they know, and lose at most one object a kill: %s', (backend) => {
      const rounds = isLong ? 100 : 15
      expect(told('rounds.mjs', backend, rounds, testSeed())).toMatchObject({
        rounds,
        // The three that are left, and the main thread.
        threads: 4,
        isWithin: true,
        isTight: true,
        wasMuch: true,
        full: 'ERR_MEMLAYER_OUT_OF_MEMORY',
        held: 0,
      })
    })
  },
)

describe.skipIf(process.platform !== 'linux')('what a worker leaves of a shared heap (needs Linux)', () => {
  it.each(backends)('is taken over, keeps no listener, and breaks no other thread: %s', (backend) => {
    const gone = 'ERR_MEMLAYER_DISPOSED'
    const { overwrites, ...others } = told('ends.mjs', backend) as { overwrites: readonly string[] }
    expect(others).toEqual({
      // Of six heaps that a worker dropped, none has a place among the threads.
      drops: 1,
      // One of the heaps and one of the memory, however many heaps there are.
      listens: { most: 2, left: 1 },
      freesRegion: [gone, gone, gone, gone, gone, 'done'],
      held: 0,
    })
    // Where the objects have a buffer of their own, nothing is broken. Elsewhere the heap is, and the process goes on.
    const isApart = backend === '@memlayer/os-linux'
    const full = 'ERR_MEMLAYER_OUT_OF_MEMORY'
    const broken = ['ERR_MEMLAYER_FATAL', full, full, 'done', 'done', 'done']
    expect(overwrites).toEqual(isApart ? Array<string>(6).fill('done') : broken)
  })
})
