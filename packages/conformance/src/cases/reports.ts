// What a backend's host tells and copies: read, write, residency, mappings and huge pages. Each is held against the
// bytes that a view shows, or against the witness.
import type { Address, HostServices } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, rangeText, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'

/** How often bytes are copied. */
const TIMES = 2100

/** Runs of pages that no kernel merges. */
const RUNS = 1200

const MIB = 2 ** 20

/** A byte that differs from its neighbours, and from the byte a page or a word away. */
function byteOf(i: number): number {
  return (i * 167 + (i >> 8) * 59 + (i >> 16) * 13 + 1) & 0xff
}

function pattern(n: number): Uint8Array {
  return Uint8Array.from({ length: n }, (_, i) => byteOf(i))
}

function claimEqual(found: Uint8Array, expected: Uint8Array, what: string): void {
  same(found.length, expected.length, `${what}: the number of bytes`)
  for (let i = 0; i < expected.length; i++) {
    if (found[i] !== expected[i]) same(found[i], expected[i], `${what}: the byte at offset ${i} of ${expected.length}`)
  }
}

/** Offsets and sizes of copies: in words and between them, in a page and over several, small and beyond 1 MiB. */
function copies(page: number): [from: number, n: number][] {
  return [
    [0, 1],
    [0, 7],
    [3, 8],
    [5, 9],
    [page - 3, 7],
    [1, page],
    [page, page + 1],
    [page + 11, 65536 + 3],
    [page - 1, MIB + 5],
    [0, 2 * MIB],
  ]
}

function copied(world: World, service: 'read' | 'write'): Verdict | undefined {
  return world.play((stage) => {
    const { os, memory, pageSize, unit } = stage
    if (os.host?.[service] === undefined) return absent(`host.${service}`)
    const n = Math.ceil((2 * MIB + 2 * pageSize) / unit) * unit + unit
    const v = memory.sysAlloc(n, null)
    // Above 2^53, only addresses of pages are exact.
    const isExact = v + n < 2 ** 53
    const expected = pattern(n)
    withBytes(os, v, n, (bytes) => bytes.set(expected))
    for (const [offset, length] of copies(pageSize)) {
      const from = isExact ? offset : Math.ceil(offset / pageSize) * pageSize
      if (service === 'read') claimRead(stage, v, from, expected.subarray(from, from + length))
      else claimWrite(stage, v, from, length, expected)
    }
    withBytes(os, v, n, (bytes) => claimEqual(bytes, expected, `the memory after host.${service}`))
    return undefined
  })
}

function claimRead({ os }: Stage, v: Address, from: number, expected: Uint8Array): void {
  const around = new Uint8Array(expected.length + 16).fill(0xee)
  os.host?.read?.(v + from, around.subarray(8, -8))
  claimEqual(around.subarray(8, -8), expected, `host.read of ${rangeText(v + from, expected.length)}`)
  for (const byte of [around[7], around[around.length - 8]]) same(byte, 0xee, 'a byte beside the target of host.read')
}

function claimWrite({ os }: Stage, v: Address, from: number, length: number, expected: Uint8Array): void {
  const source = pattern(length).map((byte) => byte ^ 0x55)
  // The source begins in the middle of its buffer.
  const sent = new Uint8Array(length + 16).fill(0xee).subarray(8, -8)
  sent.set(source)
  os.host?.write?.(v + from, sent)
  claimEqual(sent, source, 'the source of host.write')
  expected.set(source, from)
  withBytes(os, v, expected.length, (bytes) =>
    claimEqual(bytes.subarray(from, from + length), source, `host.write of ${rangeText(v + from, length)}`),
  )
}

function copiedOften(world: World, service: 'read' | 'write'): Verdict | undefined {
  return world.play((stage) => {
    const { os, pageSize } = stage
    if (os.host?.[service] === undefined) return absent(`host.${service}`)
    const v = ready(stage, 1, 0)
    for (let i = 0; i < TIMES; i++) {
      const sent = Uint8Array.of(i & 0xff, (i >> 8) & 0xff)
      if (service === 'write') os.host.write?.(v, sent)
      else withBytes(os, v, pageSize, (bytes) => bytes.set(sent))
      const found = new Uint8Array(2)
      if (service === 'read') os.host.read?.(v, found)
      else withBytes(os, v, pageSize, (bytes) => found.set(bytes.subarray(0, 2)))
      same(found.join(), sent.join(), `the bytes of host.${service} number ${i + 1}`)
    }
    return undefined
  })
}

/** The pages of [v, v+n) that a report calls resident, as offsets. Its runs have to lie within the range. */
function pagesOf(words: readonly number[], v: Address, n: number, page: number): string {
  const found: number[] = []
  for (let i = 0; i < words.length; i += 3) {
    const [from = NaN, size = NaN, bits = NaN] = words.slice(i, i + 3)
    claim(
      from >= v && size > 0 && from + size <= v + n,
      `host.residency of ${rangeText(v, n)} has ${rangeText(from, size)}`,
    )
    if ((bits & 1) !== 0) for (let at = from; at < from + size; at += page) found.push((at - v) / page)
  }
  return found.join()
}

function resident(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, memory, pageSize, witness } = stage
    if (os.host?.residency === undefined) return absent('host.residency')
    if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
    const count = 600
    const v = memory.sysReserve(null, count * stage.unit)
    const n = count * pageSize
    memory.sysMap(v, count * stage.unit, null)
    memory.sysUsed(v, count * stage.unit)
    os.sysNoHugePageOS?.(v, n)
    if (os.traits.unusedReturnsMemory) {
      // New memory may be resident already, as an engine's is.
      memory.sysUnused(v, count * stage.unit)
      witness.takeForfeit?.()
      memory.sysUsed(v, count * stage.unit)
      os.sysNoHugePageOS?.(v, n)
    }
    const touched: number[] = []
    for (let page = 0; page < count; page += 1 + (page % 3)) touched.push(page)
    for (const page of touched) withBytes(os, v + page * pageSize, pageSize, (bytes) => (bytes[0] = 1))
    const words = os.host.residency(v, n)
    if (words === null) return notRun("host.residency says that this host can't tell")
    same(pagesOf(words, v, n, pageSize), touched.join(), 'the resident pages that host.residency tells')
    // Where Prepared pages trap, a witness may count what is committed.
    if (!os.traits.unusedTraps)
      same(witness.resident(v, n), touched.length * pageSize, 'the resident bytes that the witness tells')
    claim(
      words.every((word, i) => i % 3 !== 2 || (word & 2) === 0),
      'host.residency tells huge pages, and none serves the range',
    )
    same(
      pagesOf(os.host.residency(v + pageSize, pageSize) ?? [], v + pageSize, pageSize, pageSize),
      '0',
      'one page, which is resident',
    )
    memory.sysUnused(v, count * stage.unit)
    witness.takeForfeit?.()
    const left = os.host.residency(v, n)
    if (os.traits.unusedDropsContents) same(left?.length, 0, 'the words of host.residency after sysUnused')
    return undefined
  })
}

/** Runs of pages that the kernel can't merge, more than a thousand of them. */
function mapped(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os } = stage
    if (os.host?.mappings === undefined) return absent('host.mappings')
    const { used, limit } = os.host.mappings()
    if (Number.isNaN(used)) return notRun('this kernel does not tell how many mappings there are')
    const isAdvised = os.sysNoHugePageOS !== undefined && os.traits.hugePageSize > 0
    const expected = os.traits.splitsMappings === false && !isAdvised ? 0 : 2 * RUNS
    // The engine maps memory meanwhile, and may free what earlier cases dropped. It does not do so three times.
    const looks: number[] = []
    while (looks.length < 3 && !looks.some((more) => Math.abs(more - expected) < 64)) looks.push(addedBy(stage, RUNS))
    claim(
      Math.abs((looks.at(-1) as number) - expected) < 64,
      `${RUNS} runs between others add ${looks.join(', ')} mappings, expected ${expected}`,
    )
    same(os.host.mappings().limit, limit, 'the limit that host.mappings tells')
    return undefined
  })
}

/** The mappings that so many runs add, as the host tells. */
function addedBy({ memory, os, unit }: Stage, runs: number): number {
  const { used = 0 } = os.host?.mappings?.() ?? {}
  const v = memory.sysReserve(null, 2 * runs * unit)
  for (let i = 0; i < runs; i++) {
    memory.sysMap(v + 2 * i * unit, unit, null)
    memory.sysUsed(v + 2 * i * unit, unit)
    // Where states are not mappings of their own, advice makes them.
    if (os.traits.splitsMappings === false) os.sysNoHugePageOS?.(v + 2 * i * unit, unit)
  }
  return (os.host?.mappings?.().used ?? 0) - used
}

function hugeBytes(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, witness, pageSize } = stage
    const huge = os.traits.hugePageSize
    if (huge === 0) return absent('hugePageSize')
    if (os.host?.hugePages === undefined) return absent('host.hugePages')
    if (witness.hugePages === undefined) return notRun('needs a witness that tells what huge pages back')
    const { address: v, size } = memory.sysReserveAligned(null, 6 * huge, huge)
    memory.sysMap(v, size, null)
    memory.sysUsed(v, size)
    memory.sysHugePage(v, size)
    for (const block of [0, 1, 3, 5]) withBytes(os, v + block * huge, pageSize, (bytes) => (bytes[0] = 1))
    void witness.faults?.(v, 'write')
    for (const [from, n] of [
      [0, size],
      [0, huge],
      [huge, 2 * huge],
      [2 * huge, huge],
      [huge / 2, huge],
      [huge - pageSize, 2 * pageSize],
    ] as const)
      same(
        os.host.hugePages(v + from, n),
        witness.hugePages(v + from, n),
        `the bytes in huge pages of ${n} from offset ${from}`,
      )
    return undefined
  })
}

/** What the port tells of pages, the host hands on. The backend's range need not be a mapping of its own. */
function asKernel(world: World): Verdict | undefined {
  let port: HostServices = {}
  const wrap = (kernel: object): object => (port = kernel)
  return world.play(
    (stage) => {
      const { memory, os, pageSize, unit, witness } = stage
      const block = os.traits.hugePageSize === 0 ? 8 * unit : os.traits.hugePageSize
      const { address: v, size } = memory.sysReserveAligned(null, 6 * block, block)
      memory.sysMap(v, size, null)
      memory.sysUsed(v, size)
      memory.sysHugePage(v, size)
      for (const i of [0, 1, 3, 5]) withBytes(os, v + i * block, pageSize, (bytes) => (bytes[0] = 1))
      witness.collapse?.(v, size)
      let count = 0
      for (const service of ['residency', 'hugePages'] as const) {
        if (port[service] === undefined) continue
        count += 1
        for (const [from, n] of [
          [0, size],
          [block, 2 * block],
          [2 * block, block],
        ] as const) {
          const tell = (host: HostServices | undefined): string => String(host?.[service]?.(v + from, n) ?? null)
          const before = tell(port)
          const told = tell(os.host)
          // The kernel may make huge pages meanwhile.
          if (told !== before) same(told, tell(port), `host.${service} of ${n} bytes, as the kernel's port tells it`)
        }
      }
      return count > 0 ? undefined : absent('host.residency')
    },
    { wrap },
  )
}

/** The numbers of a report, by their path. */
function numbersOf(report: unknown, path = ''): [path: string, value: number][] {
  if (typeof report === 'number') return [[path, report]]
  if (typeof report !== 'object' || report === null) return []
  return Object.entries(report).flatMap(([name, value]) => numbersOf(value, path === '' ? name : `${path}.${name}`))
}

/** How a figure of the host differs from what the port told before and after it; undefined: it does not. */
function unlike(path: string, found: number, before = NaN, after = NaN): string | undefined {
  const [low, high] = [before, after].sort((a, b) => a - b) as [number, number]
  // A real process maps memory meanwhile, by its other threads.
  const slack = Object.is(low, high) ? 0 : 64 * MIB
  const isRight = Object.is(found, low) || (found >= low - slack && found <= high + slack)
  return isRight ? undefined : `${path} is ${found}, and the kernel's port says ${low}`
}

/** Limits as the kernel's port tells them. Figures of what is in use may move between two looks. */
function limits(world: World): Verdict | undefined {
  let port: HostServices = {}
  const wrap = (kernel: object): object => (port = kernel)
  return world.play(
    (stage) => {
      const { os } = stage
      let count = 0
      // What is in use tells the unit, where there is no limit.
      ready(stage, 64, 1)
      for (const service of ['mappings', 'processLimits', 'limits', 'groupLimits'] as const) {
        if (os.host?.[service] === undefined || typeof port[service] !== 'function') continue
        // What is in use can rise and fall again between two looks.
        let wrong: string | undefined = ''
        for (let looks = 0; looks < 5 && wrong !== undefined; looks++) {
          const before = new Map(numbersOf(port[service]()))
          const answer = numbersOf(os.host[service]())
          const after = new Map(numbersOf(port[service]()))
          wrong = answer.map(([path, found]) => unlike(path, found, before.get(path), after.get(path))).find(Boolean)
          count += answer.length
        }
        claim(wrong === undefined, `host.${service}().${wrong}`)
      }
      return count > 0 ? undefined : absent('host.limits')
    },
    { wrap },
  )
}

export const reportCases: readonly Definition[] = [
  {
    id: 'copies/read',
    title: 'host.read: copies bytes at any offset and of any size, and changes none',
    show: (world) => copied(world, 'read'),
  },
  {
    id: 'copies/write',
    title: 'host.write: copies bytes to any offset and of any size, and no byte beside them',
    show: (world) => copied(world, 'write'),
  },
  {
    id: 'copies/read-often',
    title: `host.read: copies ${TIMES} times as it did the first time`,
    show: (world) => copiedOften(world, 'read'),
  },
  {
    id: 'copies/write-often',
    title: `host.write: copies ${TIMES} times as it did the first time`,
    show: (world) => copiedOften(world, 'write'),
  },
  {
    id: 'reports/residency',
    title: 'host.residency: tells exactly the pages that have memory behind them',
    show: resident,
  },
  {
    id: 'reports/as-kernel',
    title: 'host.residency and host.hugePages: tell what the kernel’s port tells, where it has them',
    show: asKernel,
  },
  { id: 'reports/mappings', title: 'host.mappings: counts more than a thousand mappings', show: mapped },
  { id: 'reports/limits', title: 'host.mappings and host.limits: tell the limits that the kernel has', show: limits },
  { id: 'reports/huge-pages', title: 'host.hugePages: tells the bytes that huge pages back', show: hugeBytes },
]
