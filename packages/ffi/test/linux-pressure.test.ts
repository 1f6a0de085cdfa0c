// What Linux tells of pressure, with made-up files, and with those of this host.
import { readFileSync } from 'node:fs'
import { posixKernel } from '@memlayer/ffi'
import { describe, expect, it } from 'vitest'
import { linuxPressure } from '../dist/linux-pressure.js'

const from = (files: Readonly<Record<string, string>>) => linuxPressure((path) => files[path] ?? null)
const psi = (some: number, full: number): string =>
  `some avg10=0.12 avg60=0.00 avg300=0.00 total=${some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${full}\n`
const v2 = '/sys/fs/cgroup'
const host = '/proc/pressure/memory'

describe('pressure on Linux', () => {
  it("is the control group's own, in milliseconds, with how often it met memory.high and memory.max", () => {
    expect(
      from({
        '/proc/self/cgroup': '0::/a/b\n',
        [`${v2}/a/b/memory.pressure`]: psi(12_345, 2000),
        [`${v2}/a/b/memory.events`]: 'low 1\nhigh 20\nmax 3\noom 9\noom_kill 9\noom_group_kill 0\n',
        [`${v2}/a/memory.pressure`]: psi(1, 1),
        [host]: psi(9, 9),
      }),
    ).toEqual({ source: "the control group's PSI", some: 12.345, full: 2, reached: 23 })
  })

  it("is the host's where the group tells none, with version 1's count of refusals", () => {
    expect(
      from({
        '/proc/self/cgroup': '4:memory:/x\n0::/\n',
        '/sys/fs/cgroup/memory/x/memory.failcnt': '7\n',
        [host]: psi(5000, 0),
      }),
    ).toEqual({ source: "the host's PSI", some: 5, full: 0, reached: 7 })
    expect(from({ [host]: psi(5000, 1000) })).toEqual({ source: "the host's PSI", some: 5, full: 1, reached: NaN })
  })

  it('is a count alone where the kernel has no PSI, and null where nothing can be read', () => {
    expect(
      from({ '/proc/self/cgroup': '0::/\n', [`${v2}/memory.events`]: 'low 0\nhigh 0\nmax 2\n', [host]: '' }),
    ).toEqual({ source: "the control group's counters", some: NaN, full: NaN, reached: 2 })
    expect(from({})).toBe(null)
    expect(from({ '/proc/self/cgroup': '0::/../../x\n', [host]: 'no such words\n' })).toBe(null)
  })

  it.skipIf(process.platform !== 'linux')("is the kernel's own figure (needs Linux)", () => {
    const told = posixKernel().pressure?.()
    if (told?.source !== "the host's PSI") return expect(told).toBeDefined()
    const total = Number(/some .*total=(\d+)/.exec(readFileSync(host, 'utf8'))?.[1]) / 1000
    expect(told.some).toBeLessThanOrEqual(total)
    expect(told.some).toBeGreaterThan(total - 1000)
  })
})
