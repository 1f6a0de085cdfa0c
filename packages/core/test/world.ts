// Runs a memory over pages beside its shadow. It makes each call on the memory and tells it to the shadow. Memory,
// shadow and pages must agree.
import { inspect } from 'node:util'
import {
  createMemory,
  FatalError,
  MemlayerError,
  OutOfMemoryError,
  UsageError,
  type Memory,
  type SysMemStat,
} from '@memlayer/core'
import { expect } from 'vitest'
import { PageOS, type PageOSOptions } from './page-os.js'
import { Shadow, type Call } from './shadow.js'

export interface World {
  readonly os: PageOS
  readonly memory: Memory
  readonly stats: readonly SysMemStat[]
  readonly shadow: Shadow
}

/** A call and its outcome. */
export interface Made {
  readonly call: Call
  readonly result: unknown
  readonly error: unknown
  /** The number of calls that it made on the OS. */
  readonly osCalls: number
}

export function createWorld(
  options: PageOSOptions = {},
  names: readonly string[] = ['heap', 'stacks', 'index'],
): World {
  const os = new PageOS(options)
  const memory = createMemory(os)
  const stats = names.map((name) => memory.stat(name))
  return { os, memory, stats, shadow: new Shadow(os.traits, stats) }
}

/** Makes a call with any arguments. */
export function make({ memory, os }: Pick<World, 'memory' | 'os'>, call: Call): Made {
  const before = os.calls.length
  let result: unknown
  let error: unknown
  try {
    // The cast allows arguments that the types forbid, because the tests pass them on purpose.
    const m = memory as unknown as Record<string, (...args: unknown[]) => unknown>
    const args = 'align' in call ? [call.v, call.n, call.align] : 'v' in call ? [call.v, call.n] : [call.n]
    result = m[call.op]?.(...args, ...('stat' in call ? [call.stat] : []))
  } catch (thrown) {
    error = thrown
  }
  return { call, result, error, osCalls: os.calls.length - before }
}

/** Compares a call's outcome with the shadow's expectation, and tells the shadow. Returns how the call ended. */
export function judge({ shadow }: Pick<World, 'shadow'>, { call, result, error, osCalls }: Made): string {
  const wrongs = shadow.wrongs(call)
  if (wrongs.length > 0) {
    expect(error).toBeInstanceOf(UsageError)
    expect(wrongs, inspect(call)).toContain((error as UsageError).code)
    expect(error).toMatchObject({ op: call.op, name: 'UsageError' })
    expect((error as UsageError).message.startsWith(call.op)).toBe(true)
    expect(osCalls).toBe(0)
    return (error as UsageError).code
  }
  if (shadow.overflows(call)) {
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_SIZE', op: call.op })
    expect(osCalls).toBe(0)
    return 'ERR_MEMLAYER_SIZE'
  }
  if (error !== undefined) {
    expect(error).toBeInstanceOf(MemlayerError)
    expect(error).not.toBeInstanceOf(UsageError)
    const refused = error instanceof OutOfMemoryError
    expect(refused || error instanceof FatalError).toBe(true)
    expect(osCalls).toBeGreaterThan(0)
    shadow.failed(call, refused)
    return refused ? 'refused' : 'broken'
  }
  if (call.n === 0) {
    expect(osCalls).toBe(0)
    return 'nothing'
  }
  expect(osCalls).toBeGreaterThan(0)
  shadow.done(call, ...obtained(call, result))
  return 'done'
}

function obtained(call: Call, result: unknown): [number, number] {
  if (call.op === 'sysReserveAligned') {
    const { address, size } = result as { address: number; size: number }
    expect(address % (call.align as number)).toBe(0)
    expect(size).toBeGreaterThanOrEqual(call.n as number)
    return [address, size]
  }
  if (call.op === 'sysAlloc' || call.op === 'sysReserve') return [result as number, call.n as number]
  expect(result).toBe(undefined)
  return [0, 0]
}

/** Expects that the account, the ledger and the pages match the shadow. */
export function expectAgreement({ memory, os, shadow }: World): void {
  memory.check()
  expect(memory.stats()).toEqual(shadow.stats())
  expect(memory.ranges()).toEqual(shadow.ranges())
  const owned = [...os.pages].filter(([, { state }]) => state !== 'Foreign')
  expect(new Map(owned.map(([number, { state }]) => [number, state]))).toEqual(
    new Map([...shadow.pages].map(([number, { state }]) => [number, state])),
  )
}
