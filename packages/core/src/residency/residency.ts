// Residency: what has memory behind it. This file has a range's; explain.ts has the process's.
import { alignDown, alignUp, residencyBits, type Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { OS } from '../os.js'
import { show } from '../text.js'

/** Neighboring pages that are alike. Pages outside of every run have no memory and are not in swap space. */
export interface ResidencyRun {
  /** Its first byte. */
  readonly address: Address
  /** Its bytes. */
  readonly size: number
  /** Whether it has memory behind it. */
  readonly resident: boolean
  /** Whether that memory is of huge pages. */
  readonly huge: boolean
  /** Whether it is in swap space. */
  readonly swapped: boolean
}

/** What of a range has memory behind it, in bytes. `NaN`: this host does not tell. */
export interface Residency {
  /** Bytes with memory behind them. */
  readonly resident: number
  /** Of that, bytes in huge pages. */
  readonly huge: number
  /** Bytes in swap space. */
  readonly swapped: number
  /** Page by page, in order of address. Neighbours that are alike are one run. */
  readonly runs: readonly ResidencyRun[]
}

/** Asks the OS; `null` where it can't tell. */
export function residencyOf(os: OS, v: Address, n: number): Residency | null {
  if (!(Number.isSafeInteger(n) && n >= 0)) wrong('ERR_MEMLAYER_SIZE', 'size', n)
  if (!(Number.isInteger(v) && v >= 0)) wrong('ERR_MEMLAYER_ADDRESS', 'address', v)
  const { pageSize } = os.traits
  const start = alignDown(v, pageSize)
  const words = n === 0 ? [] : (os.host?.residency?.(start, alignUp(v + n, pageSize) - start) ?? null)
  if (words === null) return null
  const runs: ResidencyRun[] = []
  const sums = { resident: 0, huge: 0, swapped: 0 }
  for (let i = 0; i < words.length; i += 3) {
    const [address, size, bits] = [words[i] as number, words[i + 1] as number, words[i + 2] as number]
    const is = (bit: number): boolean => (bits & bit) !== 0
    const run = {
      address,
      size,
      resident: is(residencyBits.resident),
      huge: is(residencyBits.huge),
      swapped: is(residencyBits.swapped),
    }
    runs.push(run)
    if (run.resident) sums.resident += size
    if (run.swapped) sums.swapped += size
    if (run.huge) sums.huge += size
    if (is(residencyBits.partial)) sums.huge = sums.swapped = NaN
  }
  return { ...sums, runs }
}

function wrong(code: 'ERR_MEMLAYER_SIZE' | 'ERR_MEMLAYER_ADDRESS', what: string, value: unknown): never {
  throw new UsageError(code, `residency: the ${what} is ${show(value)}`, {
    hint: 'Pass an address and a size as whole numbers, 0 or more.',
  })
}
