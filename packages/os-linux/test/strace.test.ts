// The system calls of a region's life, as strace sees them leave the process. They are compared with those of a Go
// 1.19 process in the same life. The steps are read from the recording itself.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { posixKernel } from '@memlayer/ffi'
import { data } from '@memlayer/golden'
import { runChild } from '@memlayer/witness'
import { expect, it } from 'vitest'

const hasStrace = spawnSync('strace', ['--version']).status === 0
// The recorded kernel's. With another size, other pages are cut.
const recordedHugePage = 2 ** 21
const hugePage = process.platform === 'linux' ? posixKernel().hugePageSize : 0

/** A step's title, `unused a+0x1000 0x3000`, and its calls, with addresses relative to `a` or `b`. */
type Steps = Map<string, string[]>

// Each step announces itself by a system call that nothing else makes: access() to a path that is its title.
const life = (titles: readonly string[]): string => `
  import { accessSync } from 'node:fs'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  const HUGE = ${recordedHugePage}
  const memory = createMemory(createOS())
  const stat = memory.stat('life')
  const at = {}
  const announce = (title) => { try { accessSync('/step/' + title) } catch {} }
  const ops = {
    // The recorded region begins at a huge page. Filling the gap above moves the kernel's next choice there.
    reserve(_, n) {
      const v = memory.sysReserve(null, n)
      if (v % HUGE === 0) return v
      memory.sysFree(v, n, null)
      memory.sysReserve(null, v % HUGE)
      return null
    },
    alloc: (_, n) => memory.sysAlloc(n, stat),
    map: (v, n) => memory.sysMap(v, n, stat),
    used: (v, n) => memory.sysUsed(v, n),
    unused: (v, n) => memory.sysUnused(v, n),
    huge: (v, n) => memory.sysHugePage(v, n),
    fault: (v, n) => memory.sysFault(v, n),
    free: (v, n) => memory.sysFree(v, n, stat),
  }
  for (const title of ${JSON.stringify(titles)}) {
    const [op, place, size] = title.split(' ')
    const [register, offset = '0'] = place.split('+')
    const n = Number(size)
    // Go gives the same pages back twice. The ledger needs them used in between.
    if (op === 'unused') memory.sysUsed(at[register] + Number(offset), n)
    for (let tries = 0; ; tries++) {
      announce(title)
      const result = ops[op](at[register] + Number(offset), n)
      announce('between')
      if (op !== 'reserve' && op !== 'alloc') break
      if (result !== null) { at[register] = result; announce('is ' + register + ' ' + result + ' ' + n); break }
      if (tries === 20) throw new Error('the kernel did not answer an address at a huge page')
    }
  }
`

function recorded(): Steps {
  const steps: Steps = new Map()
  const bases = new Map<string, number>()
  let calls: string[] = []
  let register = ''
  for (const line of data('strace-go119-linux.txt').trim().split('\n')) {
    if (line.startsWith('# ')) {
      register = line.split(' ')[2]?.charAt(0) ?? ''
      steps.set(line.slice(2), (calls = []))
      continue
    }
    const result = /= (0x[0-9a-f]+)$/.exec(line)?.[1]
    if (result !== undefined && !bases.has(register)) bases.set(register, Number(result))
    calls.push(relative(line, register, bases.get(register) ?? 0))
  }
  return steps
}

/** Rewrites `madvise(0x7f…1000, 12288, …)` as `madvise(a+0x1000, 12288, …)`. */
function relative(line: string, register: string, base: number): string {
  return line
    .replaceAll(/0x[0-9a-f]{6,}/g, (word) => {
      const offset = Number(word) - base
      return offset === 0 ? register : `${register}+0x${offset.toString(16)}`
    })
    .replaceAll(/\s+/g, ' ')
}

function traced(log: string): Steps {
  const lines = log.split('\n')
  const ranges = lines.flatMap((line) => {
    const found = /step\/is (\w) (\d+) (\d+)"/.exec(line)
    return found === null ? [] : [{ register: found[1] ?? '', start: Number(found[2]), size: Number(found[3]) }]
  })
  const steps: Steps = new Map()
  let calls: string[] = []
  for (const line of lines) {
    const title = /step\/([^"]+)"/.exec(line)?.[1]
    // A step that is tried again starts with no calls.
    if (title !== undefined) steps.set(title, (calls = []))
    const call = /^(?:mmap|munmap|mprotect|madvise)\(.*\) += .*$/.exec(line)?.[0]
    if (call === undefined) continue
    // The engine's own calls, on its own ranges, are not the layer's.
    const register = title === undefined ? [...steps.keys()].at(-1)?.split(' ')[1]?.charAt(0) : undefined
    const range = ranges.find((one) => one.register === register)
    if (range === undefined) continue
    const touches = [...call.matchAll(/0x[0-9a-f]+/g)].some(([word]) => {
      const offset = Number(word) - range.start
      return offset >= 0 && offset < range.size
    })
    if (touches) calls.push(relative(call, range.register, range.start))
  }
  return steps
}

it('makes the system calls that a Go process makes for the same life', (context) => {
  if (!hasStrace && process.env['CI'] !== 'true')
    context.skip('strace is missing: apt-get install --no-install-recommends strace')
  if (hugePage !== recordedHugePage) {
    context.skip(
      `the recording has huge pages of 2 MiB, but this kernel's have ${hugePage} bytes: ` +
        'run it on x86-64 with transparent huge pages',
    )
  }
  const expected = recorded()
  const folder = mkdtempSync(join(tmpdir(), 'memlayer-strace-'))
  try {
    const log = join(folder, 'log')
    const child = runChild(life([...expected.keys()]), {
      from: import.meta.dirname,
      under: ['strace', '--quiet=all', '-e', 'trace=mmap,munmap,mprotect,madvise,access', '-o', log],
    })
    expect(child.stderr).toBe('')
    expect(child.code).toBe(0)
    const seen = traced(readFileSync(log, 'latin1'))
    expect(expected.size).toBe(11)
    for (const [title, calls] of expected) expect(seen.get(title), title).toEqual(calls)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
