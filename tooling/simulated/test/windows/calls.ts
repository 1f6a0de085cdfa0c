// Makes random calls on kernel32 and on the simulated Windows, and compares answers, error numbers and runs of pages.
// It runs in Node for Windows.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { windowsKernel } from '@memlayer/ffi'
import { describeCall, type WindowsKernel } from '@memlayer/kernel'
import { simulate, type SimulatedWindowsKernel } from '@memlayer/simkernel'
import { pageRangesIn, random, testSeed } from '@memlayer/witness'

const CALLS = 20_000
const PAGE = 4096
const GRANULARITY = 65536
// No module and no heap is at these addresses.
const BASE = 0x200_0000_0000
const SLOTS = 48
const END = BASE + SLOTS * GRANULARITY

const COMMIT = 0x1000
const RESERVE = 0x2000
const DECOMMIT = 0x4000
const RELEASE = 0x8000
const NOACCESS = 1
const READONLY = 2
const READWRITE = 4

interface Call {
  readonly fn: 'virtualAlloc' | 'virtualFree'
  readonly args: readonly number[]
}

const seed = testSeed()
const { below, pick } = random(seed)

/** Returns a range in the arena. Mostly it is small, has whole pages, and overlaps a reservation. */
function range(kernel: SimulatedWindowsKernel): [v: number, n: number] {
  const first = below(SLOTS * 16)
  const { allocationBase, base, size } = kernel.query(BASE + first * PAGE)
  if (allocationBase !== 0 && below(4) > 0)
    return [base, Math.max(Math.floor((size * (1 + below(4))) / 4 / PAGE) * PAGE, PAGE)]
  const pages = 1 + below(Math.min(below(4) === 0 ? 200 : 24, SLOTS * 16 - first))
  const v = BASE + first * PAGE
  switch (below(20)) {
    case 0:
      return [v + below(PAGE), pages * PAGE - below(PAGE)]
    case 1:
      return [v, 0]
    default:
      return [v, pages * PAGE]
  }
}

function next(kernel: SimulatedWindowsKernel): Call {
  const [v, n] = range(kernel)
  const protect = pick([READWRITE, READWRITE, READWRITE, READONLY, NOACCESS])
  const kind = below(20)
  if (kind < 5) return { fn: 'virtualAlloc', args: [Math.floor(v / GRANULARITY) * GRANULARITY, n, RESERVE, READWRITE] }
  if (kind < 6) return { fn: 'virtualAlloc', args: [v, n, RESERVE | (below(2) === 0 ? COMMIT : 0), protect] }
  if (kind < 12) return { fn: 'virtualAlloc', args: [v, n, COMMIT, protect] }
  if (kind < 16) return { fn: 'virtualFree', args: [v, n, DECOMMIT] }
  if (kind < 17)
    return {
      fn: 'virtualFree',
      args: [Math.floor(v / GRANULARITY) * GRANULARITY, 0, pick([RELEASE, RELEASE, DECOMMIT])],
    }
  if (kind < 19) return { fn: 'virtualFree', args: [v, pick([0, n]), pick([RELEASE, DECOMMIT, RELEASE | DECOMMIT, 0])] }
  return { fn: 'virtualAlloc', args: [v, n, pick([0, 1, COMMIT | DECOMMIT, RELEASE]), pick([READWRITE, 0, 3, 8])] }
}

/**
 * Joins neighbouring pages with equal state, reservation and protection. Wine splits reserved pages by their earlier
 * protection, so its runs must be joined.
 */
function runsOf(pages: readonly Run[]): string[] {
  const runs: Run[] = []
  for (const page of pages) {
    const last = runs.at(-1)
    const isLike =
      last?.end === page.start && last.state === page.state && last.base === page.base && last.protect === page.protect
    if (isLike) runs.splice(-1, 1, { ...last, end: page.end })
    else runs.push(page)
  }
  return runs.map(
    ({ start, end, state, base, protect }) => `${hex(start)}-${hex(end)} ${state} of ${hex(base)}, ${protect}`,
  )
}

interface Run {
  readonly start: number
  readonly end: number
  readonly state: string
  readonly base: number
  readonly protect: number
}

function hex(v: number): string {
  return v === 0 ? '0' : (v - BASE).toString(16)
}

function simulatedRuns(kernel: SimulatedWindowsKernel): Run[] {
  const runs: Run[] = []
  for (let start = BASE; start < END;) {
    const { size, state, allocationBase, protect } = kernel.query(start)
    const end = Math.min(start + size, END)
    runs.push({ start, end, state: state.toUpperCase(), base: allocationBase, protect })
    start = end
  }
  return runs
}

/** Whether Wine's error number differs from Windows here: for a free range (STATUS_MEMORY_NOT_ALLOCATED on Windows). */
function isWines(kernel: SimulatedWindowsKernel, { fn, args }: Call, real: number, simulated: number): boolean {
  return fn === 'virtualFree' && real === -87 && simulated === -487 && kernel.query(args[0] ?? 0).state === 'free'
}

it(`agrees with kernel32 in ${CALLS} random calls`, () => {
  const real = windowsKernel()
  const simulated = simulate('windows', { seed })
  const seen = new Set<number>()
  const history: string[] = []
  let done = 0
  for (let i = 0; i < CALLS; i++) {
    const call = next(simulated)
    const wanted = answerOf(real, call)
    const found = answerOf(simulated, call)
    history.push(describeCall('windows', { ...call, ret: wanted }))
    const where = `seed ${seed}, call ${i}, after\n${history.slice(-12).join('\n')}\n`
    if (found !== wanted && !isWines(simulated, call, wanted, found))
      assert.fail(`${where}simulated ${found}\n${simulated.describe()}`)
    assert.deepEqual(runsOf(simulatedRuns(simulated)), runsOf(pageRangesIn(BASE, END - BASE)), where)
    seen.add(Math.min(wanted, 0))
    if (wanted >= 0) done += 1
  }
  console.log(`${done} calls done, ${CALLS - done} refused`)
  // These are ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER and success.
  assert.deepEqual(
    [...seen].sort((x, y) => x - y),
    [-487, -87, 0],
  )
  assert.ok(done > CALLS / 5)
})

function answerOf(kernel: WindowsKernel, { fn, args: [a = 0, b = 0, c = 0, d = 0] }: Call): number {
  return fn === 'virtualAlloc' ? kernel.virtualAlloc(a, b, c, d) : kernel.virtualFree(a, b, c)
}
