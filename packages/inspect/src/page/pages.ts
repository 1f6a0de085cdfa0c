// Which pages have memory behind them: asked of the process while it is live, found in the snapshot where that
// stands still. What can't be had has a reason, and the reason is said.
import type { PageCells } from '../snapshot.js'
import type { Shown } from './shown.js'

/** A range of a region, in cells of whole pages. */
export interface Wanted {
  /** Its first byte. */
  readonly address: number
  /** Its bytes. */
  readonly size: number
  /** Bytes of a cell. */
  readonly unit: number
}

/** A range's pages; a text: why there are none. */
export type Told = PageCells | string

/** Asks the process; one answer a range. */
export async function askPages(wanted: readonly Wanted[]): Promise<Told[]> {
  const query = wanted.map(({ address, size, unit }) => `of=${address},${size},${unit}`).join('&')
  const response = await fetch(`/pages?${query}`).catch(() => null)
  if (response?.ok !== true) return wanted.map(() => 'the process does not answer')
  const told = (await response.json()) as (PageCells | 'untold' | null)[]
  return told.map((one) =>
    one === null ? 'it has been freed' : one === 'untold' ? 'this host does not tell which pages are resident' : one,
  )
}

/** Looks in a snapshot that stands still. */
export function savedPages({ pages, resident }: Shown, wanted: readonly Wanted[], isFile: boolean): Told[] {
  const without = isFile ? 'the file holds no pages of it' : 'pages are looked up while the page is live'
  return wanted.map(({ address, size }) => {
    const found = pages.find((one) => one.address <= address && one.address + one.size >= address + size)
    return found ?? (resident === null ? 'the host did not tell which pages are resident' : without)
  })
}
