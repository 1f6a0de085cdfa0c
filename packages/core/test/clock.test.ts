// Tests the scavenger's clock over what the engine tells of its thread.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hostClock } from '../src/scavenge/clock.js'

interface Host {
  threadCpuUsage?: (() => { user: number; system: number }) | undefined
}

const host = process as unknown as Host
const { threadCpuUsage } = host

describe("the host's clock", () => {
  afterEach(() => {
    host.threadCpuUsage = threadCpuUsage
    vi.unstubAllGlobals()
  })

  it('tells the processor time of the thread in milliseconds, the system’s included', () => {
    host.threadCpuUsage = () => ({ user: 3000, system: 2500 })
    expect(hostClock().worked()).toBe(5.5)
  })

  it('tells the time that passed where the engine does not tell its processor time', () => {
    host.threadCpuUsage = undefined
    const clock = hostClock()
    const before = performance.now()
    const worked = clock.worked()
    expect(worked).toBeGreaterThanOrEqual(before)
    expect(worked).toBeLessThanOrEqual(performance.now())
  })

  it('tells how busy the thread was, since the last call, as a part of 1', async () => {
    const clock = hostClock()
    clock.busy()
    const end = performance.now() + 20
    while (performance.now() < end);
    expect(clock.busy()).toBeGreaterThan(0.5)
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
    expect(clock.busy()).toBeLessThan(0.9)
  })

  it('calls later, once, and keeps no process alive', async () => {
    const ran: number[] = []
    hostClock().after(1, () => void ran.push(1))
    expect(ran).toEqual([])
    await new Promise((resolve) => {
      setTimeout(resolve, 30)
    })
    expect(ran).toEqual([1])
  })

  it('tells how busy the thread was between two looks, each look with the one before it', () => {
    const asked: unknown[][] = []
    const looks = [{ utilization: 0.9 }, { utilization: 0.8 }, { utilization: 0.7 }]
    vi.stubGlobal('performance', {
      now: () => 5,
      eventLoopUtilization: (...given: unknown[]) => {
        if (given.length === 0) return looks.shift()
        asked.push(given)
        return { utilization: 0.1 * asked.length }
      },
    })
    const clock = hostClock()
    expect([clock.now(), clock.busy(), clock.busy(), clock.busy()]).toEqual([5, 0.9, 0.1, 0.2])
    expect(asked).toEqual([
      [{ utilization: 0.8 }, { utilization: 0.9 }],
      [{ utilization: 0.7 }, { utilization: 0.8 }],
    ])
  })

  it('tells the time of day and nothing of the thread where the engine has no such clock', () => {
    vi.stubGlobal('performance', undefined)
    vi.stubGlobal('process', undefined)
    const before = Date.now()
    const clock = hostClock()
    expect([clock.now() >= before, clock.worked() >= before, clock.busy()]).toEqual([true, true, NaN])
  })

  it('calls later where timers are numbers, as in a browser', () => {
    const set: unknown[] = []
    vi.stubGlobal('setTimeout', (...given: unknown[]) => set.push(given))
    const run = (): void => undefined
    hostClock().after(7, run)
    expect(set).toEqual([[run, 7]])
  })
})
