// Alerts as process warnings: each is said once, until it has been gone for a minute.
import { createMemory } from '@memlayer/core'
import { inspect, record } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Log } from '../src/log.js'
import { Snapshots } from '../src/take-snapshot.js'
import { Warnings } from '../src/warnings.js'

const KiB64 = 2 ** 16
const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
const codes = (): unknown[] => emitted.mock.calls.map(([, details]) => (details as unknown as { code: string }).code)

afterEach(() => emitted.mockClear())

/** A memory of which all that its limit allows is in use. */
function full(): ReturnType<typeof createMemory> {
  const memory = createMemory(createOS())
  memory.limit = { bytes: 20 * KiB64 }
  memory.sysAlloc(20 * KiB64, memory.stat('full'))
  return memory
}

function watch(memory: ReturnType<typeof createMemory>): { warnings: Warnings; log: Log } {
  const log = new Log(memory)
  const watched = { memory, snapshots: new Snapshots(memory), log, history: () => [] }
  return { warnings: new Warnings(watched, 1e6), log }
}

describe('an alert', () => {
  it('is a warning with a code, figures and advice, said once until it has been gone for a minute', () => {
    const memory = full()
    const { warnings, log } = watch(memory)
    const [{ address, size } = { address: NaN, size: NaN }] = memory.ranges()
    warnings.look(0)
    expect(codes()).toEqual(['MEMLAYER_ALERT_NEAR_LIMIT'])
    expect(emitted.mock.calls[0]).toEqual([
      '100 % of memory.limit, 1.3 MiB, are used.',
      {
        type: 'MemlayerWarning',
        code: 'MEMLAYER_ALERT_NEAR_LIMIT',
        detail: 'Free what is not needed, add a reclaimer, or raise the limit.',
      },
    ])
    for (const now of [5000, 10_000, 100_000]) warnings.look(now)
    expect(codes()).toHaveLength(1)
    // Half a minute without it is not enough, and a minute is.
    memory.sysFree(address, size, memory.stat('full'))
    warnings.look(105_000)
    const again = memory.sysAlloc(size, memory.stat('full'))
    warnings.look(130_000)
    expect(codes()).toHaveLength(1)
    memory.sysFree(again, size, memory.stat('full'))
    warnings.look(135_000)
    warnings.look(195_001)
    memory.sysAlloc(size, memory.stat('full'))
    warnings.look(200_000)
    expect(codes()).toEqual(['MEMLAYER_ALERT_NEAR_LIMIT', 'MEMLAYER_ALERT_NEAR_LIMIT'])
    warnings.end()
    log.end()
  })

  it('of another kind is said beside it', () => {
    const memory = full()
    const { warnings, log } = watch(memory)
    expect(() => memory.sysAlloc(KiB64, memory.stat('more'))).toThrow(
      expect.objectContaining({ code: 'ERR_MEMLAYER_OUT_OF_MEMORY' }) as Error,
    )
    warnings.look(0)
    expect(codes()).toEqual(['MEMLAYER_ALERT_NEAR_LIMIT', 'MEMLAYER_ALERT_REFUSED'])
    warnings.end()
    log.end()
  })

  it('is said by one of several inspectors of a memory, and by the next when that one has ended', () => {
    const memory = full()
    const [first, second] = [watch(memory), watch(memory)]
    second.warnings.look(0)
    expect(codes()).toEqual([])
    first.warnings.look(0)
    expect(codes()).toHaveLength(1)
    first.warnings.end()
    second.warnings.look(1)
    expect(codes()).toHaveLength(2)
    second.warnings.end()
    for (const { log } of [first, second]) log.end()
  })

  it('comes from an inspector and from a recording by themselves, and from none with warnings: false', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
    try {
      for (const warnings of [false, true]) {
        const memory = full()
        const recording = record(memory, { warnings })
        vi.advanceTimersByTime(6000)
        recording.close()
        const inspector = await inspect(memory, { warnings })
        vi.advanceTimersByTime(6000)
        await inspector.close()
        // Nothing is said after the end.
        vi.advanceTimersByTime(600_000)
        expect(codes()).toHaveLength(warnings ? 2 : 0)
      }
    } finally {
      vi.useRealTimers()
    }
  })
})
