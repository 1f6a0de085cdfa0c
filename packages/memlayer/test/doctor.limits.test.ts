// What `memlayer doctor` says of limits, engines and allocators that are made up.
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'
import { doctor } from 'memlayer/doctor'
import { exitCode } from '../dist/finding.js'
import type { Finding } from '../dist/finding.js'
import { hostMemory, sound } from './host-memory.js'

const MiB = 2 ** 20
const GiB = 2 ** 30

const findingsWith = (limits: object): Finding[] => doctor(hostMemory({ limits: () => ({ ...sound, ...limits }) }))
const warningsOf = (findings: readonly Finding[]): string[] =>
  findings.filter(({ level }) => level === 'warning').map(({ says, hint }) => `${says} ${hint}`)

describe.skipIf(process.platform !== 'linux')('doctor over limits that are made up', () => {
  it('ends with 0 where nothing bites', () => {
    const findings = findingsWith({})
    expect(warningsOf(findings)).toEqual([])
    expect(exitCode(findings)).toBe(0)
  })

  it.each([
    [
      'half of the mappings are used',
      { mappings: 40_000 },
      /^The process has 40000 kernel mappings\. The limit is 65530 \(vm\.max_map_count\)\. Raise vm\.max_map_count/,
    ],
    [
      'address space is short',
      { addressSpace: 40 * GiB },
      /^The limit on address space is 40 GiB \(ulimit -v\)\. The process uses 1 GiB\. Raise the limit with ulimit -v/,
    ],
    [
      'the process locks memory and may lock little more',
      { lockedMemoryUsed: 4 * MiB },
      /^The limit on locked memory is 8 MiB \(ulimit -l\)\. The process has locked 4 MiB\. .* Raise the limit with/,
    ],
    [
      'overcommit is strict and little is left',
      { overcommit: 2, committed: 15.5 * GiB },
      /^Reservations cost nothing .* counts each commit in full, .* 15\.5 GiB of 16 GiB are .* Commit later/,
    ],
    [
      'the control group is nearly full',
      { groupUsed: 7 * GiB },
      /^The control group uses 7 GiB of 8 GiB\. .* Give pages back with sysUnused/,
    ],
    [
      'the control group has no limit, and is close to being stalled',
      { groupLimit: Infinity, groupUsed: 7 * GiB, groupHigh: 8 * GiB, groupHighUsed: 7 * GiB },
      /^The kernel stalls the control group beyond 8 GiB \(memory\.high\)\. It uses 7 GiB\. .*MemoryHigh= of systemd/,
    ],
    [
      'the control group has a limit, and one of its parents is close to being stalled',
      { groupHigh: 4 * GiB, groupHighUsed: 4 * GiB },
      /^The kernel stalls the control group beyond 4 GiB \(memory\.high\)\. It uses 4 GiB\./,
    ],
    [
      'little may be mapped that is private and writable',
      { dataSize: 2 * GiB, dataSizeUsed: 1.5 * GiB },
      /^The limit on private writable memory is 2 GiB \(ulimit -d\)\. The process has mapped 1\.5 GiB .*LimitDATA/,
    ],
    [
      'the process may have few descriptors',
      { descriptors: 32 },
      /^The process may have 32 descriptors \(ulimit -n\)\. .* explain\(\) returns null, .* Raise the limit with/,
    ],
    [
      'huge pages are switched off for the process',
      { hugePages: 'never', hugePagesDisabled: true },
      /^Huge pages are switched off for this process by prctl\(PR_SET_THP_DISABLE\), .* children inherit it\.$/,
    ],
    [
      'there are no huge pages',
      { hugePages: 'never' },
      /^The kernel gives no huge pages, so sysHugePage does nothing .* echo madvise >/,
    ],
    [
      'little of the commit limit is left',
      { commitLimit: 8 * GiB, commitAvailable: GiB / 2, addressSpaceAvailable: 2 ** 46 },
      /^The commit limit is 8 GiB .* 512 MiB are left\. Enlarge the page file/,
    ],
    [
      'little of the address space is left',
      { commitAvailable: 4 * GiB, addressSpace: 2 ** 37, addressSpaceAvailable: 2 ** 35 },
      /^The address space has 128 GiB\. 32 GiB are neither reserved nor committed\. Reserve less/,
    ],
  ])('warns, with 1, when %s', (_, limits, says) => {
    const findings = findingsWith(limits)
    expect(warningsOf(findings)).toEqual([expect.stringMatching(says)])
    expect(exitCode(findings)).toBe(1)
  })

  it.each([
    ['strict overcommit with room', { overcommit: 2 }],
    ['locked memory without limit', { lockedMemory: Infinity, lockedMemoryUsed: GiB }],
    ['a group without limit', { groupLimit: Infinity, groupUsed: NaN }],
    ['a group that is far from being stalled', { groupHigh: 8 * GiB, groupHighUsed: GiB }],
    ['a group whose limit is above what the host has', { groupLimit: 64 * GiB, hostMemory: 16 * GiB, hostSwap: 0 }],
    ['writable memory with room', { dataSize: 8 * GiB, dataSizeUsed: GiB }],
    ['huge pages for all', { hugePages: 'always' }],
    ['a Windows host with room', { commitLimit: 64 * GiB, commitAvailable: 32 * GiB, addressSpaceAvailable: 2 ** 46 }],
  ])('does not warn of %s', (_, limits) => {
    expect(warningsOf(findingsWith(limits))).toEqual([])
  })

  it('says of what is not known that it is not known, and does not warn of it', () => {
    const unknown = Object.fromEntries(Object.keys(sound).map((name) => [name, NaN]))
    const findings = findingsWith({ ...unknown, hugePages: undefined })
    const said = findings.filter(({ topic }) =>
      ['huge pages', 'mappings', 'address space', 'data size', 'locked memory', 'overcommit', 'control group'].includes(
        topic,
      ),
    )
    expect(said).toHaveLength(7)
    for (const { level, says } of said) {
      expect([level, says]).toEqual(['ok', expect.stringContaining('not known')])
      expect(says).not.toMatch(/NaN|no limit|No control group|cost nothing/)
    }
    const windows = findingsWith({ ...unknown, commitAvailable: NaN, addressSpaceAvailable: NaN })
    expect(windows.map(({ says }) => says).join('\n')).not.toContain('NaN')
  })

  const saidOf = (topic: string, limits: object): string[] =>
    findingsWith(limits)
      .filter((finding) => finding.topic === topic)
      .map(({ says }) => says)

  it('says what each mode of overcommit grants', () => {
    const host = { hostMemory: 20 * GiB, hostSwap: 4 * GiB }
    const steps = 'In steps it grants more.'
    const free = 'Reservations cost nothing (vm.overcommit_memory is'
    expect(saidOf('overcommit', { overcommit: 0, ...host })).toEqual([
      `${free} 0). The kernel refuses one commit larger than memory and swap together (24 GiB). ${steps}`,
    ])
    expect(saidOf('overcommit', { overcommit: 0 })[0]).toContain('larger than memory and swap together. In steps')
    expect(saidOf('overcommit', { overcommit: 1, ...host })).toEqual([
      `${free} 1). The kernel grants every commit, and memory comes at the first touch.`,
    ])
    const counts = 'The kernel counts each commit in full, before its first touch.'
    expect(saidOf('overcommit', { overcommit: 2 })).toEqual([
      `${free} 2). ${counts} 1 GiB of 16 GiB are committed on this host.`,
    ])
  })

  it('does not say that no control group limits the process where one stalls it', () => {
    const limits = { groupLimit: Infinity, groupUsed: GiB, groupHigh: 8 * GiB, groupHighUsed: GiB }
    expect(saidOf('control group', limits)).toEqual([expect.stringMatching(/^The kernel stalls .* It uses 1 GiB\./)])
    expect(saidOf('control group', { groupLimit: Infinity, groupHigh: Infinity })).toEqual([
      'No control group limits the memory of this process.',
    ])
  })

  it('says that the host is the limit where the control group allows more than it has', () => {
    expect(saidOf('control group', { groupLimit: 64 * GiB, hostMemory: 16 * GiB, hostSwap: 0 })).toEqual([
      'The control group uses 1 GiB of 64 GiB. The host has less, 16 GiB, so that is the limit.',
    ])
  })

  it('says that unused pages stay where memory is locked, and only there', () => {
    const kept = 'Unused pages of locked memory stay resident'
    expect(saidOf('locked memory', { lockedMemory: Infinity, lockedMemoryUsed: 4096 })[0]).toContain(kept)
    expect(saidOf('locked memory', { lockedMemoryUsed: 0 })[0]).not.toContain(kept)
    expect(saidOf('locked memory', { lockedMemoryUsed: NaN })[0]).not.toContain(kept)
  })

  it('says what is left to the engine, and the option that sets it', () => {
    const said = doctor(hostMemory({ limits: () => sound, heap: () => ({ used: GiB, limit: 4 * GiB }) }))
    expect(said.filter(({ topic }) => topic === 'engine heap').map(({ says }) => says)).toEqual([
      'The JavaScript heap may still grow by 3 GiB. The layer leaves the engine that much, but at most half of ' +
        'each limit. createMemory(os, { engineHeap }) sets other bytes.',
    ])
    const unknown = doctor(hostMemory({ limits: () => sound, heap: () => ({ used: NaN, limit: NaN }) }))
    expect(unknown.filter(({ topic }) => topic === 'engine heap')).toEqual([])
  })

  it('says that /proc is missing where all of its figures are', () => {
    const gone = { addressSpace: NaN, addressSpaceUsed: NaN, mappings: NaN, commitLimit: NaN }
    expect(warningsOf(findingsWith(gone))).toEqual([expect.stringMatching(/^\/proc is missing .* mount -t proc proc/)])
    expect(saidOf('/proc', { ...gone, mappings: 200 })).toEqual([])
  })

  it('names the allocator that serves malloc, and says what is unknown where it does not know it', () => {
    const memoryOf = createOS().host?.processMemory?.()
    const said = (allocator: 'jemalloc' | 'unknown' | undefined): string[] => {
      const { allocator: _, ...others } = memoryOf ?? expect.fail('the host should tell its memory')
      const told = { ...others, ...(allocator === undefined ? {} : { allocator }) }
      return doctor(hostMemory({ limits: () => sound, processMemory: () => told }))
        .filter(({ topic }) => topic === 'allocator')
        .map(({ level, says }) => `${level} ${says}`)
    }
    expect(said('jemalloc')).toEqual(['ok jemalloc serves malloc.'])
    expect(said('unknown')).toEqual([
      expect.stringMatching(/^ok An allocator that memlayer does not know serves malloc/),
    ])
    expect(said(undefined)).toEqual([])
  })

  it('says which engines and backends were tried, and why they were not taken', () => {
    const foreignCalls = {
      engine: 'node:ffi',
      passedOver: [
        { name: 'koffi', reason: 'it is out', hint: 'Ask it in.' },
        { name: 'smoke', reason: 'it rains', hint: '' },
      ],
    }
    const findings = doctor(hostMemory({ foreignCalls }))
    expect(
      findings
        .filter(({ topic }) => topic === 'engine' || topic === 'tried')
        .map(({ level, says, hint }) => [level, says, hint]),
    ).toEqual([
      ['ok', 'node:ffi makes the foreign calls. A call costs three to five times as much as with koffi.', undefined],
      ['warning', "koffi can't make foreign calls: it is out.", 'Ask it in.'],
      ['ok', "smoke can't make foreign calls: it rains.", undefined],
    ])
    const tried = doctor(
      hostMemory(
        {},
        {
          how: 'fallback',
          tried: [{ backend: '@memlayer/os-haiku', reason: 'it has 17 syllables', hint: 'Write a shorter one.' }],
        },
      ),
    )
    expect(warningsOf(tried)[1]).toBe("@memlayer/os-haiku can't serve: it has 17 syllables. Write a shorter one.")
    expect(exitCode(tried)).toBe(1)
  })
})
