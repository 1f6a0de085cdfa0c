// Finds which pages are resident. While the page is live, the process answers. A saved or kept snapshot has its own
// data. If there is no answer, the reader gets the reason.
import type { PageCells } from '../snapshot.js'
import type { Shown } from './shown.js'

/** A range of a region, in cells of whole pages. */
export interface Wanted {
  /** The region's number. */
  readonly id: number
  /** Its first byte. */
  readonly address: number
  /** Its bytes. */
  readonly size: number
  /** Bytes of a cell. */
  readonly unit: number
}

/** A range's pages, or the reason why they are not known. */
export type Told = PageCells | string

/** Asks the process. There is one answer per range. */
export async function askPages(wanted: readonly Wanted[]): Promise<Told[]> {
  const query = wanted.map(({ id, address, size, unit }) => `of=${id},${address},${size},${unit}`).join('&')
  const response = await fetch(`pages?${query}`).catch(() => null)
  if (response?.ok !== true) return wanted.map(() => 'the process does not answer')
  const told = (await response.json()) as (PageCells | 'untold' | null)[]
  return told.map((one) =>
    one === null ? 'it has been freed' : one === 'untold' ? 'this host does not tell which pages are resident' : one,
  )
}

/** Looks the pages up in a paused or saved snapshot. */
export function savedPages({ pages, resident }: Shown, wanted: readonly Wanted[], isFile: boolean): Told[] {
  const without = isFile ? 'the file has no data on its pages' : 'press Go on to look up its pages'
  return wanted.map(({ address, size }) => {
    const found = pages.find((one) => one.address <= address && one.address + one.size >= address + size)
    return found ?? (resident === null ? 'the host did not tell which pages are resident' : without)
  })
}
