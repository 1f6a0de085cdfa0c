// Tests the scavenger's clock over what the engine tells of its thread.
import { afterEach, describe, expect, it } from 'vitest'
import { hostClock } from '../src/scavenge/clock.js'

interface Host {
  threadCpuUsage?: (() => { user: number; system: number }) | undefined
}

const host = process as unknown as Host
const { threadCpuUsage } = host

describe("the host's clock", () => {
  afterEach(() => {
    host.threadCpuUsage = threadCpuUsage
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
})
