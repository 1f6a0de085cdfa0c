// The pages of V8's heap, on every engine here: those that are known are found, by V8's own figures, and on the
// others none is told.
import { requireEngine, runModule, type Engine, type SkippingContext } from '@memlayer/engines'
import type { ProcessMemory } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { hasKnownPages, v8PageEnd } from '../dist/v8-pages.js'

const MiB = 2 ** 20
const index = new URL('../dist/bundle/index.js', import.meta.url).href

describe('pages of V8 are looked for', () => {
  it.each([
    ['Node 22', { v8: '12.4.254.21-node.57' }, 'x64', true],
    ['Node 24', { v8: '13.6.233.17-node.53' }, 'arm64', true],
    ['Node 26', { v8: '14.6.202.34-node.34' }, 'x64', true],
    ['Deno 2.9', { v8: '15.0.245.2-rusty', deno: '2.9.6' }, 'x64', true],
    ['Node 23', { v8: '12.9.202.28-node.14' }, 'x64', false],
    ['Node 25', { v8: '14.1.146.11-node.14' }, 'x64', false],
    ['a later Node', { v8: '15.0.245.2-node.1' }, 'x64', false],
    ['a version that only begins like a known one', { v8: '13.60.1.1-node.1' }, 'x64', false],
    ['Electron, whose heap has other pointers', { v8: '13.6.233.17-electron.0', electron: '37.0.0' }, 'x64', false],
    ['Bun, which names a version of V8', { v8: '14.6.202.34-node.20', bun: '1.4.5' }, 'x64', false],
    ['a processor of 32 bits', { v8: '13.6.233.17-node.53' }, 'arm', false],
    ['an engine that names no version', {}, 'x64', false],
  ] as const)('%s (%o, %s): %s', (_, versions, arch, isKnown) => {
    expect(hasKnownPages(versions, arch)).toBe(isKnown)
  })
})

describe('a page of V8', () => {
  const page = 0x17e_efc8_0000
  const described = 0x2d99_0000
  const other = 0x7f3e_3e1f_e940
  const endOf = (own: readonly number[], apart: readonly number[] = []): number | null => {
    const memory = new Map([
      [page, own],
      [described, apart],
    ])
    const peek = (at: number): BigUint64Array | null => {
      const words = memory.get(at)
      return words === undefined ? null : BigUint64Array.from({ length: 16 }, (__, i) => BigInt(words[i] ?? 0))
    }
    return v8PageEnd(page, peek(page) ?? new BigUint64Array(16), peek)
  }

  // The pages and the first three blocks as they were read from processes, with other addresses.
  it.each([
    ['of V8 12', [0x12, page, 0x40000, 9, page + 0x1140, page + 0x40000], [], page + 0x40000],
    [
      'of V8 12, with one large object',
      [0x84, page, 0x16e5000, 9, page + 0x1140, page + 0x16e4750],
      [],
      page + 0x16e5000,
    ],
    [
      'of V8 14',
      [0xa, described, 7],
      [5, page, 0x40000, 0x3fff0, 0, 0x3fff0, 0x40000, page + 0x40000, 9, page + 16],
      page + 0x40000,
    ],
    [
      'of V8 14, only read',
      [0xa, described, 7],
      [0, 0, 0, 0x1de60, 0, 0x1de70, 0x1e000, page + 0x1e000, 0, page + 16],
      page + 0x40000,
    ],
    ['small blocks in a list', [0x8000, 0, 0, other, other + 0xdc0, page + 0x40, 0x8000, 0, 0, other + 0x40], [], null],
    [
      'small blocks in a list, the next first',
      [0, other, other + 0x4, page + 0x30, 0x8000, 0, 0, other + 0x40],
      [],
      null,
    ],
    [
      'addresses of blocks',
      [0x3ec1d20, other, other + 8, 7, 7, other + 16, other + 24, 0, 0, page + 0x8000, page + 0x8000, page + 0x8008],
      [],
      null,
    ],
    ['a block with its size', [0x200000, 0, page + 0x80, 0x1fff80, 0x200000, page + 0x1fff80], [], null],
    ['nothing', [], [], null],
  ] as const)('%s', (_, own, apart, end) => {
    expect(endOf(own, apart)).toBe(end)
  })
})

interface Seen {
  /** Resident bytes by kind. */
  readonly kinds: Partial<Record<ProcessMemory['mappings'][number]['kind'], number>>
  readonly heapTouched: number
}

/**
 * What the process tells of itself with a heap of over 60 MiB. `before` runs first. The engine's threads give pages
 * back while the process is read, so of ten looks this is the one where the two figures are nearest.
 */
function look(engine: Engine, before = ''): Seen {
  const text = `import { posixKernel } from '${index}'
    ${before}
    const keep = []
    for (let i = 0; i < 1e6; i++) keep.push({ i, a: [i] })
    const looks = []
    for (let i = 0; i < 10; i++) {
      const { mappings, heapTouched } = posixKernel().processMemory()
      const kinds = {}
      for (const { kind, resident } of mappings) kinds[kind] = (kinds[kind] ?? 0) + resident
      looks.push({ kinds, heapTouched, far: Math.abs((kinds.engine ?? kinds.anonymous) - heapTouched) })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    looks.sort((a, b) => a.far - b.far)
    console.log(JSON.stringify({ ...looks[0], kept: keep.length }))`
  return JSON.parse(runModule(engine, text)) as Seen
}

const thisNode = (): Engine => ({ name: 'node22', command: process.execPath, args: ['--input-type=module', '-'] })
const deno = (context: SkippingContext): Engine => ({
  ...requireEngine('deno', context),
  args: ['run', '--no-prompt', '--allow-ffi', '-'],
})

// A Node or a Deno with another V8 fails here. Add its build to v8-pages.ts when its pages are found.
describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('the heap (needs Linux on x64)', () => {
  it.for([
    ['this Node', thisNode],
    ['Node 22', (context: SkippingContext) => requireEngine('node22', context)],
    ['Node 26', (context: SkippingContext) => requireEngine('node26', context)],
    ['Deno', deno],
  ] as const)('on %s is what V8 says that it has touched, within a tenth', ([, engineOf], context) => {
    const { kinds, heapTouched } = look(engineOf(context))
    expect(heapTouched).toBeGreaterThan(60 * MiB)
    // V8 keeps pages for later that its figure leaves out.
    expect(Math.abs((kinds.engine ?? 0) - heapTouched)).toBeLessThan(0.1 * heapTouched)
  })

  it('is not told on a V8 that is not known, and stays without a name', () => {
    const { kinds, heapTouched } = look(
      thisNode(),
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, v8: '99.0.1.1-node.1' } })`,
    )
    expect(kinds.engine).toBeUndefined()
    expect(kinds.anonymous).toBeGreaterThan(0.95 * heapTouched)
  })

  it('is not told on Bun', (context) => {
    const { kinds } = look(requireEngine('bun', context))
    expect(kinds.engine).toBeUndefined()
    expect(kinds.anonymous).toBeGreaterThan(60 * MiB)
  })
})
