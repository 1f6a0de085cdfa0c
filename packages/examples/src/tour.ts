// The tour: one region's whole life, with the layer's account and the kernel's own beside each
// other after every step. `npm start` runs it through main.ts.
import { createMemory, formatBytes, type Memory } from '@memlayer/core'
import { record, type PosixKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-linux'
import { agree, kernelAccount, type KernelAccount } from './account.js'
import { heading, line } from './table.js'

const MiB = 2 ** 20
const GiB = 2 ** 30

/** Where the tour runs. */
export interface TourOptions {
  /** The kernel below the layer. */
  readonly kernel: PosixKernel
  /** Takes a line of text. */
  readonly print: (text: string) => void
}

/** Runs the tour; the sentences in which the layer and the kernel disagreed, none when all is well. */
export function tour({ kernel, print }: TourOptions): string[] {
  const { kernel: recording, take } = record(kernel)
  const memory = createMemory(createOS({ kernel: recording }))
  const stat = memory.stat('tour')
  const page = kernel.pageSize
  const disagreements: string[] = []
  const region = { start: 0, size: GiB }
  // What this program has written and not given back: the kernel has to hold as much.
  let filled = 0

  function step(title: string, work: () => void): void {
    const before = performance.now()
    work()
    const ms = performance.now() - before
    const kernelSays: KernelAccount = kernelAccount(region.start, region.size)
    const { total } = memory.stats()
    print(line(title, total, kernelSays, ms, take()))
    disagreements.push(...agree(title, total, kernelSays, filled))
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
    // A read puts the kernel's one shared page of zeroes there, which costs nothing.
    if (bytes(memory, v + 128 * MiB, page).some((byte) => byte !== 0))
      disagreements.push('a page given back kept its bytes')
  })
  step('fault one page: touching it traps', () => {
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
    `A region of memory, from reservation to release, on ${os.name} with pages of ${formatBytes(pageSize)} and ${huge}.`,
    '',
    '  Reserved  address space that is ours; it costs nothing, and touching it traps',
    '  Prepared  mapped, with no memory behind it',
    '  Ready     safe to touch; the kernel gives memory at the first touch',
    '',
    'On the left what the layer has counted, in the middle what the kernel says of the same addresses',
    '(/proc/self/smaps), on the right the calls that the layer made for it.',
    '',
  ].join('\n')
}

/** Each step makes its own: they end as their pages leave Ready. */
function bytes(memory: Memory, v: number, n: number): Uint8Array {
  return memory.view(Uint8Array, v, n)
}
