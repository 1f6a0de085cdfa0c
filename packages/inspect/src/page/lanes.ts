// The regions in view, one lane per region. The colour is the state. A bar in full colour is resident memory, and
// huge pages have an outline. All of it shares the same pixels, so Ready pages without memory are visible.
import { shownName } from '../names.js'
import type { PageCells, SnapshotRegion } from '../snapshot.js'
import { unitFor } from '../page-cells.js'
import { statePaints } from './patterns.js'
import { byId, bytes, colour, say, sheetOf, type Sheet } from './dom.js'
import type { Told, Wanted } from './pages.js'
import type { Shown } from './shown.js'
import type { Space } from './space.js'
import type { View } from './strip.js'

const [lanesMax, LANE, BAR] = [10, 32, 24]
const cellsMax = 256
/** Where a lane's bar begins, and the room to its right. A narrow page has only the region's name, to the left. */
const roomOf = (width: number): { readonly left: number; readonly right: number } =>
  width < 560 ? { left: 84, right: 0 } : { left: 132, right: 176 }
const FONT = '13px system-ui, sans-serif'

interface Lane extends Wanted {
  readonly region: SnapshotRegion
}

/** The data that lanes are drawn from. */
export interface Seen {
  /** The snapshot. */
  readonly shown: Shown
  /** The snapshot's address space. */
  readonly space: Space
  /** The part of the space in view. */
  readonly view: View
}

/** The lanes of the regions in view. */
export class Lanes {
  readonly #canvas = byId<HTMLCanvasElement>('lanes')
  #lanes: readonly Lane[] = []
  #seen: Seen | null = null
  /** The answers by the lane's range. An answer is kept until a newer one comes. */
  #told = new Map<string, Told>()
  #chosen: number | null = null

  /**
   * Calls `choose` with a region that the user clicks. Calls `zoom` when the wheel turns at an address. Calls `frame`
   * with a range to show.
   */
  constructor(on: {
    choose(region: SnapshotRegion): void
    zoom(factor: number, address: number): void
    frame(from: number, to: number): void
  }) {
    const canvas = this.#canvas
    const laneAt = (event: MouseEvent): Lane | undefined => this.#lanes[Math.floor(event.offsetY / LANE)]
    canvas.addEventListener('click', (event) => {
      const lane = laneAt(event)
      if (lane !== undefined) on.choose(lane.region)
    })
    canvas.addEventListener('dblclick', (event) => {
      const lane = laneAt(event)
      if (lane !== undefined) on.frame(lane.region.address, lane.region.address + lane.region.size)
    })
    canvas.addEventListener(
      'wheel',
      (event) => {
        const lane = laneAt(event)
        // Outside a lane's bar the wheel scrolls the page.
        const { left, right } = roomOf(canvas.clientWidth)
        if (lane === undefined || event.offsetX < left || event.offsetX > canvas.clientWidth - right) return
        event.preventDefault()
        const share = (event.offsetX - left) / Math.max(1, canvas.clientWidth - left - right)
        on.zoom(event.deltaY > 0 ? 1.25 : 0.8, lane.address + share * lane.size)
      },
      { passive: false },
    )
  }

  /** Shows the regions in view. */
  show(seen: Seen): void {
    this.#seen = seen
    this.#lanes = lanesIn(seen)
    this.draw()
  }

  /** Marks the region of this number. */
  mark(id: number): void {
    this.#chosen = id
    this.draw()
  }

  /** The ranges whose pages are needed. Empty when the lanes are out of sight. */
  get wanted(): readonly Wanted[] {
    const { top, bottom } = this.#canvas.getBoundingClientRect()
    const isSeen = document.visibilityState === 'visible' && bottom > 0 && top < window.innerHeight
    return isSeen ? this.#lanes : []
  }

  /** Takes the answers for `wanted`. */
  tell(wanted: readonly Wanted[], told: readonly Told[]): void {
    const now = new Map(wanted.map((one, i) => [keyOf(one), told[i] as Told]))
    // Forget ranges that are no longer in view, so that the map stays small.
    for (const lane of this.#lanes) {
      const before = this.#told.get(keyOf(lane))
      if (before !== undefined && !now.has(keyOf(lane))) now.set(keyOf(lane), before)
    }
    this.#told = now
    const reason = told.find((one) => typeof one === 'string')
    say('lanes-say', reason === undefined ? '' : `Pages: ${reason}.`)
    this.draw()
  }

  /** Draws the lanes in the current colours. */
  draw(): void {
    const sheet = sheetOf(this.#canvas, Math.max(1, this.#lanes.length * LANE))
    const seen = this.#seen
    if (seen === null) return
    for (const [i, lane] of this.#lanes.entries()) {
      const told = this.#told.get(keyOf(lane)) ?? ''
      drawBar(sheet, i * LANE + (LANE - BAR) / 2, lane, seen, told)
      this.#write(sheet, i, lane, told)
    }
  }

  #write({ context, width }: Sheet, i: number, lane: Lane, told: Told): void {
    const { region } = lane
    const { left, right } = roomOf(width)
    const y = i * LANE + LANE / 2 + 4.5
    context.save()
    context.font = region.id === this.#chosen ? `700 ${FONT}` : FONT
    context.fillStyle = colour('--ink')
    context.beginPath()
    context.rect(0, i * LANE, left - 12, LANE)
    context.clip()
    context.fillText(shownName(region.name), 0, y)
    context.restore()
    if (right === 0) return
    const resident = typeof told === 'string' ? null : told.resident
    const hasMore = typeof told !== 'string' && told.looked < told.size
    const part = hasMore
      ? `the first ${bytes(told.looked)}`
      : lane.size < region.size
        ? `${bytes(lane.size)} of ${bytes(region.size)}`
        : bytes(region.size)
    context.font = FONT
    context.fillStyle = colour('--dim')
    context.fillText(resident === null ? part : `${bytes(resident)} in ${part}`, width - right + 12, y, right - 12)
  }
}

const keyOf = ({ id, address, size, unit }: Wanted): string => `${id} ${address} ${size} ${unit}`

/** The part of a region between two addresses, in at most `most` cells of whole pages. */
export function partOf(region: SnapshotRegion, from: number, to: number, pageSize: number, most: number): Wanted {
  const start = Math.max(region.address, Math.floor(from / pageSize) * pageSize)
  const size = Math.max(pageSize, Math.min(region.address + region.size, Math.ceil(to / pageSize) * pageSize) - start)
  return { id: region.id, address: start, size, unit: unitFor(size, pageSize, most) }
}

/** The largest regions in view, in order of address. */
function lanesIn({ shown, space, view }: Seen): Lane[] {
  const [from, to] = [space.addressAt(view.from), space.addressAt(view.to)]
  const found: Lane[] = []
  let least = 0
  for (const region of shown.regions) {
    if (region.address >= to || region.address + region.size <= from) continue
    // The part of the region that the space contains. Reserved pages may have been left out of the space.
    const [first, last] = [
      Math.max(view.from, space.placeOf(region.address)),
      Math.min(view.to, space.placeOf(region.address + region.size)),
    ]
    if (last <= first) continue
    const [start, end] = [space.addressAt(first), space.addressAt(last - 1) + 1]
    if (found.length >= lanesMax && end - start <= least) continue
    found.push({ region, ...partOf(region, start, end, shown.pageSize, cellsMax) })
    if (found.length <= lanesMax) continue
    found.sort((a, b) => b.size - a.size).pop()
    least = found.at(-1)?.size ?? 0
  }
  return found.sort((a, b) => a.address - b.address)
}

function drawBar(sheet: Sheet, y: number, lane: Lane, { space, shown }: Seen, told: Told): void {
  const { context, width, scale } = sheet
  const paints = statePaints(context)
  const { left, right } = roomOf(width)
  const columns = Math.max(1, Math.round((width - left - right) * scale))
  const pages = typeof told === 'string' ? null : told
  context.fillStyle = colour('--paper')
  context.fillRect(left, y, columns / scale, BAR)
  for (let x = 0; x < columns; x++) {
    const [from, to] = [lane.address + (x / columns) * lane.size, lane.address + ((x + 1) / columns) * lane.size]
    const shares = space.shares(space.placeOf(from), space.placeOf(to))
    let bottom = y + BAR
    for (let state = 3; state >= 1; state--) {
      const share = (shares[state - 1] as number) / (to - from)
      if (share <= 0) continue
      const high = Math.min(bottom - y, Math.max(2 / scale, share * BAR))
      context.fillStyle = paints[state] ?? ''
      context.fillRect(left + x / scale, bottom - high, 1 / scale, high)
      bottom -= high
    }
  }
  if (pages !== null) drawResident(sheet, y, pages, columns / scale, shown.pageSize)
}

/** Draws resident pages over the states, from the bottom up, and an outline around huge pages. */
function drawResident(
  { context, scale, width: wide }: Sheet,
  y: number,
  pages: PageCells,
  width: number,
  pageSize: number,
): void {
  const { left } = roomOf(wide)
  const per = (pages.unit / pages.size) * width
  context.fillStyle = colour('--s3')
  for (const [c, count] of pages.residentCells.entries()) {
    if (count === 0) continue
    const high = Math.max(1, Math.min(1, (count * pageSize) / pages.unit) * BAR)
    // Round to whole screen pixels. Fractions would leave seams between cells.
    const [start, end] = [c * per, Math.min(width, (c + 1) * per)].map((x) => Math.round(x * scale) / scale) as [
      number,
      number,
    ]
    context.fillRect(left + start, y + BAR - high, end - start, high)
  }
  context.strokeStyle = colour('--huge')
  context.lineWidth = 2
  for (let c = 0; c < pages.hugeCells.length; c++) {
    const start = c
    while (c < pages.hugeCells.length && (pages.hugeCells[c] as number) > 0) c++
    if (c > start)
      context.strokeRect(
        left + start * per + 1,
        y + 1,
        Math.max(1, Math.min(width, c * per) - start * per - 2),
        BAR - 2,
      )
  }
}
