// The tour: the whole life of one region. After every step it shows the layer's account beside the kernel's own.
// `npm start` runs it through main.ts.
import { createMemory, formatBytes, type Memory } from '@memlayer/core'
import { record, type PosixKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-linux'
import { agree, kernelAccount, type KernelAccount } from './account.js'
import { heading, line } from './table.js'

const MiB = 2 ** 20
const GiB = 2 ** 30

/** The surroundings of the tour. */
export interface TourOptions {
  /** The kernel below the layer. */
  readonly kernel: PosixKernel
  /** Prints a line of text. */
  readonly print: (text: string) => void
}

/** Runs the tour. Returns a sentence per disagreement of layer and kernel, so the list is empty when all is well. */
export function tour({ kernel, print }: TourOptions): string[] {
  const { kernel: recording, take } = record(kernel)
  const memory = createMemory(createOS({ kernel: recording }))
  const stat = memory.stat('tour')
  const page = kernel.pageSize
  const disagreements: string[] = []
  const region = { start: 0, size: GiB }
  // The bytes that this program wrote and did not give back. The kernel must hold as many.
  let filled = 0

  function step(title: string, work: () => void): void {
    const before = performance.now()
    work()
    const ms = performance.now() - before
    const kernelSays: KernelAccount = kernelAccount(region.start, region.size, page)
    const stats = memory.stats()
    print(line(title, stats.total, kernelSays, ms, take()))
    disagreements.push(...agree(title, stats, kernelSays, filled))
  }

  print(introduction(memory))
  for (const text of heading()) print(text)
  step('reserve 1 GiB of address space', () => {
    region.start = memory.sysReserve(null, region.size)
  })
  const v = region.start
  step('map its first 256 MiB', () => memory.sysMap(v, 256 * MiB, stat))
  step('use them', () => memory.sysUsed(v, 256 * MiB))
  step('fill them: this program writes', () => {
    bytes(memory, v, 256 * MiB).fill(0xa5)
    filled = 256 * MiB
  })
  step('give the middle half back', () => {
    memory.sysUnused(v + 64 * MiB, 128 * MiB)
    filled -= 128 * MiB
  })
  step('use it again: it reads zero', () => {
    memory.sysUsed(v + 64 * MiB, 128 * MiB)
    // A read maps the kernel's shared page of zeroes, which costs no memory.
    if (bytes(memory, v + 128 * MiB, page).some((byte) => byte !== 0))
      disagreements.push('a page that was given back kept its bytes')
  })
  step('fault one page: an access traps', () => {
    memory.sysFault(v, page)
    filled -= page
  })
  step('free all of it', () => {
    memory.sysFree(v, region.size, stat)
    filled = 0
  })
  memory.check()
  return disagreements
}

function introduction({ os }: Memory): string {
  const { pageSize, hugePageSize } = os.traits
  const huge = hugePageSize === 0 ? 'no huge pages' : `huge pages of ${formatBytes(hugePageSize)}`
  return [
    `The life of a region on ${os.name}, with pages of ${formatBytes(pageSize)} and ${huge}.`,
    '',
    '  Reserved  address space that we own; it costs no memory, and an access traps',
    '  Prepared  mapped, with no memory behind it',
    '  Ready     safe to access; the kernel gives memory at the first access',
    '',
    'JavaScript has seen the addresses, so the free keeps them: the memory goes back, and a late access finds zeroes.',
    '',
    "The left part shows the layer's account. The middle shows the kernel's figures for the same addresses",
    '(/proc/self/smaps). The right part shows the kernel calls of the step.',
    '',
  ].join('\n')
}

/** Makes a new view for each step, because a view ends when its pages leave Ready. */
function bytes(memory: Memory, v: number, n: number): Uint8Array {
  return memory.view(Uint8Array, v, n)
}
