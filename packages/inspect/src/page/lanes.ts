// The regions in view, a lane each: the colour is the state, what is filled to the top in full colour is resident,
// and huge pages have an outline. All that in the same pixel, so that what is Ready without memory shows.
import type { PageCells, SnapshotRegion } from '../snapshot.js'
import { unitFor } from '../page-cells.js'
import { byId, bytes, colour, say, sheetOf, stateColours, type Sheet } from './dom.js'
import type { Told, Wanted } from './pages.js'
import type { Shown } from './shown.js'
import type { Space } from './space.js'
import type { View } from './strip.js'

const [MOST_LANES, LANE, BAR] = [10, 32, 24]
const MOST_CELLS = 256
/** Where a lane's bar begins, and what is left to its right: where there is little room, its name alone. */
const roomOf = (width: number): { readonly left: number; readonly right: number } =>
  width < 560 ? { left: 84, right: 0 } : { left: 132, right: 176 }
const FONT = '13px system-ui, sans-serif'

interface Lane extends Wanted {
  readonly region: SnapshotRegion
}

/** What lanes are drawn of. */
export interface Seen {
  /** The snapshot. */
  readonly shown: Shown
  /** Its space. */
  readonly space: Space
  /** What of it is in view. */
  readonly view: View
}

/** The lanes. */
export class Lanes {
  readonly #canvas = byId<HTMLCanvasElement>('lanes')
  #lanes: readonly Lane[] = []
  #seen: Seen | null = null
  /** By the lane's range; what was found is kept until something newer is. */
  #told = new Map<string, Told>()
  #chosen: number | null = null

  /** `choose` is called with a region that was pressed, `zoom` with a turn of the wheel at an address, `frame` with a range to show. */
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
        // Without a lane, and without Shift, the page scrolls.
        const { left, right } = roomOf(canvas.clientWidth)
        if (lane === undefined || event.offsetX < left || event.offsetX > canvas.clientWidth - right) return
        event.preventDefault()
        const share = (event.offsetX - left) / Math.max(1, canvas.clientWidth - left - right)
        on.zoom(event.deltaY > 0 ? 1.25 : 0.8, lane.address + share * lane.size)
      },
      { passive: false },
    )
  }

  /** Shows what is in view. */
  show(seen: Seen): void {
    this.#seen = seen
    this.#lanes = lanesIn(seen)
    this.draw()
  }

  /** Marks the region that begins here. */
  mark(address: number): void {
    this.#chosen = address
    this.draw()
  }

  /** The ranges whose pages are to be shown; none where nobody sees them. */
  get wanted(): readonly Wanted[] {
    const { top, bottom } = this.#canvas.getBoundingClientRect()
    const isSeen = document.visibilityState === 'visible' && bottom > 0 && top < window.innerHeight
    return isSeen ? this.#lanes : []
  }

  /** What was found of them. */
  tell(wanted: readonly Wanted[], told: readonly Told[]): void {
    const now = new Map(wanted.map((one, i) => [keyOf(one), told[i] as Told]))
    // What was just zoomed away from goes: the map holds what is in view, and no more.
    for (const lane of this.#lanes) {
      const before = this.#told.get(keyOf(lane))
      if (before !== undefined && !now.has(keyOf(lane))) now.set(keyOf(lane), before)
    }
    this.#told = now
    const reason = told.find((one) => typeof one === 'string')
    say('lanes-say', reason === undefined ? '' : `Pages: ${reason}.`)
    this.draw()
  }

  /** Draws them, in the colours of now. */
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
    context.font = region.address === this.#chosen ? `700 ${FONT}` : FONT
    context.fillStyle = colour('--ink')
    context.beginPath()
    context.rect(0, i * LANE, left - 12, LANE)
    context.clip()
    context.fillText(region.name, 0, y)
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

const keyOf = ({ address, size, unit }: Wanted): string => `${address} ${size} ${unit}`

/** The part of a region between two addresses, in cells of whole pages. */
export function partOf(region: SnapshotRegion, from: number, to: number, pageSize: number, most: number): Wanted {
  const start = Math.max(region.address, Math.floor(from / pageSize) * pageSize)
  const size = Math.max(pageSize, Math.min(region.address + region.size, Math.ceil(to / pageSize) * pageSize) - start)
  return { address: start, size, unit: unitFor(size, pageSize, most) }
}

/** The largest regions in view, in order of address. */
function lanesIn({ shown, space, view }: Seen): Lane[] {
  const [from, to] = [space.addressAt(view.from), space.addressAt(view.to)]
  const found: Lane[] = []
  let least = 0
  for (const region of shown.regions) {
    if (region.address >= to || region.address + region.size <= from) continue
    // From the first to the last byte of it that the space has: what is only Reserved may have been left out.
    const [first, last] = [
      Math.max(view.from, space.placeOf(region.address)),
      Math.min(view.to, space.placeOf(region.address + region.size)),
    ]
    if (last <= first) continue
    const [start, end] = [space.addressAt(first), space.addressAt(last - 1) + 1]
    if (found.length >= MOST_LANES && end - start <= least) continue
    found.push({ region, ...partOf(region, start, end, shown.pageSize, MOST_CELLS) })
    if (found.length <= MOST_LANES) continue
    found.sort((a, b) => b.size - a.size).pop()
    least = found.at(-1)?.size ?? 0
  }
  return found.sort((a, b) => a.address - b.address)
}

function drawBar(sheet: Sheet, y: number, lane: Lane, { space, shown }: Seen, told: Told): void {
  const { context, width, scale } = sheet
  const colours = stateColours()
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
      context.globalAlpha = state === 3 && pages !== null ? 0.38 : 1
      context.fillStyle = colours[state] ?? ''
      context.fillRect(left + x / scale, bottom - high, 1 / scale, high)
      bottom -= high
    }
  }
  context.globalAlpha = 1
  if (pages !== null) drawResident(sheet, y, pages, columns / scale, shown.pageSize)
}

/** Resident pages over the states, from the bottom; around huge ones a line. */
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
    // Whole points of the screen: half ones would leave seams between cells.
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
