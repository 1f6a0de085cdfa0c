// Tests what npm installs from the packed packages: only this host's backend, no install scripts, and the size.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readWorkspace } from '@memlayer/checks/workspace'
import { installedIn, kilobytes, openLab, type Installed, type Lab } from '@memlayer/matrix'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// The largest sizes of an install, in bytes on disk. A larger install needs a decision that it is worth it.
// The last step, to 2.3 MB, paid for what core has for memory that the engine owns. The step before it, to 2.2 MB,
// paid for the limit on memory with its reclaimers, for idle pages and their scavenger, for streams and files, and for
// the threads of a Windows process. More than half of core is its source and maps.
const limits = { ours: 2_400_000, all: 4_800_000 }

/** Expects that the sizes in the READMEs, of all packages and of memlayer's own, are right within a seventh. */
function expectSaid(all: number, ours: number): void {
  const { root } = readWorkspace()
  const text = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')
  const own = text('packages', 'memlayer', 'README.md')
  const said: readonly [RegExpExecArray | null, number][] = [
    [/one native package, ([\d.]+) MB on Linux x64/.exec(text('README.md')), all],
    [/On Linux x64 that is ([\d.]+) MB, of which/.exec(own), all],
    [/of which ([\d.]+) MB are memlayer's own/.exec(own), ours],
  ]
  for (const [found, bytes] of said) {
    expect(Number(found?.[1]) / (bytes / 1e6)).toBeGreaterThan(6 / 7)
    expect(Number(found?.[1]) / (bytes / 1e6)).toBeLessThan(7 / 6)
  }
  expect(own).toContain(
    `under ${(limits.all / 1e6).toFixed(1)} MB and the other under ${(limits.ours / 1e6).toFixed(1)}`,
  )
}

const always = ['@memlayer/core', '@memlayer/kernel', '@memlayer/os-js', 'memlayer']

describe('an install', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await openLab()
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  const names = (packages: readonly Installed[]): string[] => packages.map(({ name }) => name)
  const sum = (packages: readonly Installed[]): number => packages.reduce((total, { bytes }) => total + bytes, 0)

  it.each([
    ['linux', 'x64', 'linux', 'koffi-linux-x64'],
    ['win32', 'x64', 'windows', 'koffi-win32-x64'],
    ['darwin', 'arm64', 'darwin', 'koffi-darwin-arm64'],
    ['freebsd', 'x64', 'bsd', 'koffi-freebsd-x64'],
    ['aix', 'ppc64', 'aix', null],
  ])(
    'of memlayer on %s %s brings core, os-js, os-%s and one native package, and runs no script',
    async (os, cpu, backend, koffi) => {
      const folder = await lab.install(`${os}-${cpu}`, ['memlayer'], [`--os=${os}`, `--cpu=${cpu}`])
      const packages = installedIn(folder)
      expect(names(packages)).toEqual(
        [
          ...always,
          '@memlayer/ffi',
          `@memlayer/os-${backend}`,
          ...(koffi === null ? [] : [`@koromix/${koffi}`]),
        ].toSorted(),
      )
      expect(packages.filter(({ installScripts }) => installScripts.length > 0)).toEqual([])
      const ours = packages.filter(({ name }) => !name.startsWith('@koromix/'))
      console.log(
        `npm install memlayer, ${os} ${cpu}: ${kilobytes(sum(packages))}, of which memlayer is ${kilobytes(sum(ours))}`,
      )
      expect(sum(ours)).toBeLessThan(limits.ours)
      expect(sum(packages)).toBeLessThan(limits.all)
      if (`${os}-${cpu}` === 'linux-x64') expectSaid(sum(packages), sum(ours))
    },
  )

  it('of core and one backend brings no other backend', async () => {
    const packages = installedIn(
      await lab.install('direct', ['@memlayer/core', '@memlayer/os-linux'], ['--os=linux', '--cpu=x64']),
    )
    for (const { name, bytes } of packages) console.log(`  ${name}: ${kilobytes(bytes)}`)
    expect(names(packages)).toEqual([
      '@koromix/koffi-linux-x64',
      '@memlayer/core',
      '@memlayer/ffi',
      '@memlayer/kernel',
      '@memlayer/os-linux',
    ])
    expect(sum(packages)).toBeLessThan(limits.all)
  })

  it('of core and os-js brings nothing native', async () => {
    const packages = installedIn(await lab.install('js', ['@memlayer/core', '@memlayer/os-js']))
    expect(names(packages)).toEqual(['@memlayer/core', '@memlayer/kernel', '@memlayer/os-js'])
  })
})
