// The tour's table: one line per step.
import { formatBytes, type StateCounts } from '@memlayer/core'
import { adviceText, errnoName, flagText, flagWords, type KernelCall } from '@memlayer/kernel'
import type { KernelAccount } from './account.js'

const stepWidth = 34
const cell = 11

/** The two lines above the table. */
export function heading(): string[] {
  const titles = ['Reserved', 'Prepared', 'Ready', 'Rss', 'in huge', 'time'].map((title) => title.padStart(cell))
  const [reserved, prepared, ready, rss, huge, time] = titles
  const text = `${'step'.padEnd(stepWidth)}${reserved}${prepared}${ready}  |${rss}${huge}  |${time}  kernel calls`
  return [text, '-'.repeat(text.length + 12)]
}

/** The line of one step. */
export function line(
  step: string,
  layer: StateCounts,
  kernel: KernelAccount,
  ms: number,
  calls: readonly KernelCall[],
): string {
  const bytes = (n: number): string => formatBytes(n).replace(' bytes', '').padStart(cell)
  const left = `${bytes(layer.reserved)}${bytes(layer.prepared)}${bytes(layer.ready)}`
  const middle = `${bytes(kernel.rss)}${bytes(kernel.anonHugePages)}`
  const time = `${ms.toFixed(ms < 10 ? 2 : 0)} ms`.padStart(cell)
  return `${step.padEnd(stepWidth)}${left}  |${middle}  |${time}  ${callsText(calls)}`
}

function callsText(calls: readonly KernelCall[]): string {
  return calls.length === 0 ? 'none' : calls.map(callText).join(', then ')
}

/** A call without its addresses, which do not help a reader: `madvise(128 MiB, MADV_DONTNEED)`. */
function callText({ fn, args, ret }: KernelCall): string {
  const [, length = 0, word = 0, flags = 0] = args
  const words = [formatBytes(length)]
  if (fn === 'mmap') words.push(flagText(flagWords.linux.prot, word), ...(flags & 0x10 ? ['MAP_FIXED'] : []))
  if (fn === 'mprotect') words.push(flagText(flagWords.linux.prot, word))
  if (fn === 'madvise') words.push(adviceText('linux', word))
  return `${fn}(${words.join(', ')})${ret < 0 ? ` = ${errnoName('linux', -ret)}` : ''}`
}
