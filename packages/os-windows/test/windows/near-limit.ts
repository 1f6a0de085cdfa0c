// What every kind of commit does 1,000 times near a limit: under a port that counts and answers 1455, and under
// RLIMIT_DATA of Wine's host where MEMLAYER_DATA_LIMIT says so. Runs in Node for Windows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createMemory, GrowableBuffer, OutOfMemoryError, type Memory, type Region } from '@memlayer/core'
import { windowsKernel } from '@memlayer/ffi'
import type { WindowsKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'
import { bytesInState, errorOf, random, testSeed } from '@memlayer/witness'
import { MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, MiB, PAGE_READWRITE } from './address-space.ts'

const ERROR_COMMITMENT_LIMIT = 1455
const GRANULE = 65536
const attempts = 1000
const leftMin = 64 * MiB
const seed = testSeed()

/** kernel32 under a limit on committed memory. Its commits are whole granules. */
class LimitedKernel {
  left: number
  readonly kernel: WindowsKernel
  readonly #below = windowsKernel()
  readonly #reservations = new Map<number, Uint8Array>()

  constructor(limit: number) {
    this.left = limit
    this.kernel = {
      ...this.#below,
      limits: undefined,
      virtualAlloc: (...args: Parameters<WindowsKernel['virtualAlloc']>) => this.#alloc(...args),
      virtualFree: (...args: Parameters<WindowsKernel['virtualFree']>) => this.#free(...args),
    } as unknown as WindowsKernel
  }

  #alloc(addr: number, size: number, type: number, protect: number): number {
    const found = type === MEM_COMMIT ? this.#granules(addr, size) : null
    const asked = (type & MEM_COMMIT) === 0 ? 0 : found === null ? size : bytesOf(found, 0)
    if (asked > this.left) return -ERROR_COMMITMENT_LIMIT
    const answer = this.#below.virtualAlloc(addr, size, type, protect)
    if (answer <= 0) return answer
    if ((type & MEM_RESERVE) !== 0) this.#reservations.set(answer, new Uint8Array(Math.ceil(size / GRANULE)))
    if ((type & MEM_COMMIT) !== 0) this.#granules(answer, size)?.fill(1)
    this.left -= asked
    return answer
  }

  #free(addr: number, size: number, type: number): number {
    const granules = type === MEM_RELEASE ? (this.#reservations.get(addr) ?? null) : this.#granules(addr, size)
    const given = granules === null ? 0 : bytesOf(granules, 1)
    const answer = this.#below.virtualFree(addr, size, type)
    if (answer !== 0) return answer
    this.left += given
    if (type === MEM_RELEASE) this.#reservations.delete(addr)
    else granules?.fill(0)
    return 0
  }

  /** The granules of [addr, addr+size) where one reservation has all of them. */
  #granules(addr: number, size: number): Uint8Array | null {
    for (const [base, granules] of this.#reservations) {
      const first = (addr - base) / GRANULE
      if (first >= 0 && first + size / GRANULE <= granules.length)
        return granules.subarray(first, first + Math.ceil(size / GRANULE))
    }
    return null
  }
}

const bytesOf = (granules: Uint8Array, value: number): number =>
  granules.reduce((sum, one) => sum + (one === value ? GRANULE : 0), 0)

/** What a program may do that commits memory. Each returns how to give it back. */
class Program {
  readonly memory: Memory
  readonly region: Region
  readonly buffer: GrowableBuffer
  readonly #below = random(seed).below
  readonly #allocated: [number, number][] = []
  #committed = 0

  constructor(memory: Memory) {
    this.memory = memory
    this.region = memory.reserve(2 ** 33, { name: 'commits' })
    this.buffer = new GrowableBuffer(memory, { maximum: 2 ** 33, name: 'grows' })
  }

  /** Does one of four things with up to 32 MiB. */
  step(): void {
    const n = GRANULE * (1 + this.#below(512))
    const kind = this.#below(4)
    if (kind === 0) this.#allocated.push([this.memory.sysAlloc(n, this.memory.stat('allocs')), n])
    else if (kind === 1) {
      this.region.commit(this.#committed, n)
      this.#committed += n
    } else if (kind === 2) this.buffer.resize(this.buffer.length + n)
    else {
      const v = this.memory.sysReserve(null, n)
      this.memory.sysMap(v, n, this.memory.stat('uses'))
      try {
        this.memory.sysUsed(v, n)
      } catch (error) {
        this.memory.sysFree(v, n, null)
        throw error
      }
      this.#allocated.push([v, n])
    }
  }

  /** Gives back what it can. */
  shrink(): void {
    this.buffer.resize(0)
    if (this.#committed > 0) this.region.unused(0, this.#committed)
    if (this.#committed > 0) this.region.used(0, GRANULE)
    this.#committed = Math.min(this.#committed, GRANULE)
    for (const [address, size] of this.#allocated.splice(0)) this.memory.sysFree(address, size, null)
  }
}

/** Bytes by state as the account has them, without its counts of calls. */
function account(memory: Memory): object {
  const { reserved, prepared, ready, held } = memory.stats().total
  return { reserved, prepared, ready, held }
}

function liveNearLimit(memory: Memory, expectLeft: () => void): number {
  const program = new Program(memory)
  let refusals = 0
  for (let i = 0; i < attempts; i++) {
    const before = account(memory)
    const counted = memory.stats().total.refusals
    try {
      program.step()
    } catch (error) {
      assert.ok(error instanceof OutOfMemoryError, String(error))
      assert.deepEqual(account(memory), before)
      assert.ok(memory.stats().total.refusals > counted, 'the refusal is counted')
      refusals += 1
      if (refusals % 100 === 0) program.shrink()
    }
    expectLeft()
    memory.check()
  }
  for (const { address, size, state } of memory.ranges())
    if (state === 'Ready') assert.equal(bytesInState('COMMIT', address, size), size)
  return refusals
}

const dataLimit = Number(process.env['MEMLAYER_DATA_LIMIT'] ?? NaN)

it(`is refused near a limit of 512 MiB, and 64 MiB are left (MEMLAYER_SEED=${seed})`, () => {
  const port = new LimitedKernel(512 * MiB)
  let least = Infinity
  const refusals = liveNearLimit(createMemory(createOS({ kernel: port.kernel })), () => {
    least = Math.min(least, port.left)
    assert.ok(port.left >= leftMin, `${port.left} bytes are left`)
  })
  assert.ok(refusals > attempts / 4, `${refusals} refusals`)
  assert.ok(least < 256 * MiB, `${least} bytes were left at least`)
})

it(`is refused under RLIMIT_DATA, and 64 MiB are left (MEMLAYER_SEED=${seed})`, (t) => {
  if (Number.isNaN(dataLimit)) return t.skip('needs RLIMIT_DATA, which os-windows sets for one run')
  const kernel = windowsKernel()
  const refusals = liveNearLimit(createMemory(createOS()), () => {
    const p = kernel.virtualAlloc(0, leftMin, MEM_RESERVE, PAGE_READWRITE)
    const answer = kernel.virtualAlloc(p, leftMin, MEM_COMMIT, PAGE_READWRITE)
    assert.equal(kernel.virtualFree(p, 0, MEM_RELEASE), 0)
    assert.equal(answer, p, '64 MiB could not be committed')
  })
  assert.ok(refusals > attempts / 4, `${refusals} refusals`)
})

it('leaves 64 MiB to the engine, however many memories there are', () => {
  const port = new LimitedKernel(512 * MiB)
  const os = createOS({ kernel: port.kernel })
  const memories = Array.from({ length: 12 }, () => createMemory(os))
  for (const memory of memories) {
    const refusal = errorOf(() => {
      while (true) memory.sysAlloc(MiB, null)
    })
    assert.ok(refusal instanceof OutOfMemoryError, String(refusal))
    assert.ok(port.left >= leftMin, `${port.left} bytes are left`)
  }
  // RLIMIT_DATA counts it in the next test.
  for (const memory of memories)
    for (const { address, size } of memory.ranges())
      for (let at = address; at < address + size; at += MiB) memory.sysFree(at, MiB, null)
})
