// The address space as a strip. In each column the heights show exactly how much of it is in which state. Wheel and
// keys zoom down to single pages. For a screen reader the strip is a slider whose value is a page.
import { shownName } from '../names.js'
import { states } from '../snapshot.js'
import { statePaints } from './patterns.js'
import { byId, bytes, colour, hex, say, sheetOf, type Sheet } from './dom.js'
import type { Shown } from './shown.js'
import { Space } from './space.js'

/** Pages in the closest view. */
const viewPagesMin = 16

/** How many regions have their names on the strip. */
const namesMax = 40

/** The part of a space that is in view. */
export interface View {
  /** Where it begins. */
  readonly from: number
  /** Where it ends. */
  readonly to: number
}

/** The strip. */
export class Strip {
  readonly #canvas = byId<HTMLCanvasElement>('strip')
  readonly #moved: () => void
  #shown: Shown | null = null
  #space: Space | null = null
  #from = 0
  #to = 0
  #cursor = 0
  #isWhole = true
  #isPointed = false

  /** Calls `moved` when another part of the space comes into view. */
  constructor(moved: () => void) {
    this.#moved = moved
    const canvas = this.#canvas
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault()
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#at(event.offsetX))
      },
      { passive: false },
    )
    canvas.addEventListener('pointerdown', (event) => canvas.setPointerCapture(event.pointerId))
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) this.#pan((-event.movementX / canvas.clientWidth) * (this.#to - this.#from))
      this.#point(this.#at(event.offsetX))
    })
    canvas.addEventListener('keydown', (event) => this.#key(event))
  }

  /** Shows a snapshot and keeps the view. */
  show(shown: Shown, space: Space): void {
    this.#shown = shown
    this.#space = space
    const width = Math.min(this.#to - this.#from, space.size)
    // After every region was freed, the old view no longer exists.
    if (this.#isWhole || width <= 0) [this.#from, this.#to, this.#isWhole] = [0, space.size, true]
    else {
      this.#from = Math.max(0, Math.min(this.#from, space.size - width))
      this.#to = this.#from + width
    }
    this.#cursor = Math.max(0, Math.min(this.#cursor, space.size - shown.pageSize))
    this.draw()
    if (this.#isPointed) this.#tell()
  }

  /** The part in view. */
  get view(): View {
    return { from: this.#from, to: this.#to }
  }

  /** The space on show. */
  get space(): Space | null {
    return this.#space
  }

  /** Changes how much is in view. The place `around` keeps its position. */
  zoom(factor: number, around: number): void {
    const all = this.#space?.size ?? 0
    if (all === 0) return
    const least = Math.min(all, viewPagesMin * (this.#shown?.pageSize ?? 1))
    const before = this.#to - this.#from
    const width = Math.min(all, Math.max(least, before * factor))
    const share = before > 0 ? (around - this.#from) / before : 0.5
    this.#from = Math.max(0, Math.min(all - width, around - share * width))
    this.#to = this.#from + width
    this.#isWhole = width === all
    this.#point(around)
    this.draw()
    this.#moved()
  }

  /** Shows a stretch of the space. */
  frame(from: number, to: number): void {
    const all = this.#space?.size ?? 0
    if (!(to > from) || to > all) return
    ;[this.#from, this.#to, this.#isWhole] = [from, to, false]
    this.zoom(1, (from + to) / 2)
  }

  #at(x: number): number {
    return this.#from + (x / Math.max(1, this.#canvas.clientWidth)) * (this.#to - this.#from)
  }

  #key(event: KeyboardEvent): void {
    const { pageSize } = this.#shown ?? { pageSize: 4096 }
    const step = Math.max(pageSize, Math.round((this.#to - this.#from) / 20 / pageSize) * pageSize)
    const moves: Readonly<Record<string, () => void>> = {
      '+': () => this.zoom(0.5, this.#cursor),
      '=': () => this.zoom(0.5, this.#cursor),
      '-': () => this.zoom(2, this.#cursor),
      ArrowLeft: () => this.#point(this.#cursor - step),
      ArrowRight: () => this.#point(this.#cursor + step),
      Home: () => this.zoom(Infinity, 0),
    }
    const move = moves[event.key]
    if (move === undefined) return
    event.preventDefault()
    move()
    if (this.#cursor < this.#from || this.#cursor >= this.#to) this.#pan(this.#cursor - (this.#from + this.#to) / 2)
    this.draw()
  }

  #pan(by: number): void {
    const width = this.#to - this.#from
    this.#from = Math.max(0, Math.min((this.#space?.size ?? 0) - width, this.#from + by))
    this.#to = this.#from + width
    this.draw()
    this.#moved()
  }

  #point(place: number): void {
    const { pageSize } = this.#shown ?? { pageSize: 4096 }
    this.#isPointed = true
    this.#cursor = Math.max(0, Math.min(place, (this.#space?.size ?? 0) - pageSize))
    this.#tell()
  }

  /** The page at the cursor, in words. */
  #tell(): void {
    const [shown, space] = [this.#shown, this.#space]
    if (shown === null || space === null) return
    const found = space.find(this.#cursor)
    const at = byId('at')
    const view = this.#to - this.#from
    let words = 'Nothing is owned.'
    if (found === null) delete at.dataset['page']
    else {
      const [address = 0, size = 0, state = 0, category = 0] = space.ranges.subarray(
        4 * found.range,
        4 * found.range + 4,
      )
      const page = Math.floor(found.offset / shown.pageSize)
      const name = shown.categories[category] ?? ''
      const where = `${hex(address + page * shown.pageSize)}: page ${page + 1} of ${size / shown.pageSize}`
      const owner = name === '' ? ownerAt(shown, address + page * shown.pageSize) : shownName(name)
      words = `${where}, ${states[state]}, ${owner}, range of ${bytes(size)}; ${bytes(view)} in view`
      at.dataset['page'] = String(address + page * shown.pageSize)
    }
    at.dataset['view'] = String(view)
    say('at', words)
    const pages = Math.max(0, space.size / shown.pageSize - 1)
    const values = {
      'aria-valuemax': pages,
      'aria-valuenow': Math.floor(this.#cursor / shown.pageSize),
      'aria-valuetext': words,
    }
    for (const [name, value] of Object.entries(values))
      if (this.#canvas.getAttribute(name) !== String(value)) this.#canvas.setAttribute(name, String(value))
  }

  /** Marks where regions begin, and writes their names where they fit. */
  #nameRegions(
    { context, width, height }: Sheet,
    { regions }: Shown,
    space: Space,
    placeToX: (place: number) => number,
  ): void {
    const [from, to] = [space.addressAt(this.#from), space.addressAt(this.#to)]
    context.font = '600 12px system-ui, sans-serif'
    let written = 0
    for (const { name: whole, address, size } of regions) {
      if (address >= to || address + size <= from || written >= namesMax) continue
      const [start, end] = [
        Math.max(0, placeToX(space.placeOf(address))),
        Math.min(width, placeToX(space.placeOf(address + size))),
      ]
      if (end - start < 44) continue
      written += 1
      const name = shownName(whole)
      context.fillStyle = colour('--card')
      if (start > 0) context.fillRect(start - 1, 0, 2, height)
      context.save()
      context.beginPath()
      context.rect(start, 0, end - start - 4, height)
      context.clip()
      // A background of its own, because below it are up to four colours.
      const wide = Math.min(end - start - 12, context.measureText(name).width + 10)
      context.globalAlpha = 0.85
      context.fillRect(start + 4, 5, wide, 18)
      context.globalAlpha = 1
      context.fillStyle = colour('--ink')
      context.fillText(name, start + 9, 18, Math.max(1, wide - 10))
      context.restore()
    }
  }

  /** Draws the strip in the current colours. */
  draw(): void {
    const sheet = sheetOf(this.#canvas)
    const [shown, space] = [this.#shown, this.#space]
    if (shown === null || space === null || space.size === 0) return
    const { context, width, height, scale } = sheet
    const paints = statePaints(context)
    const columns = Math.round(width * scale)
    const per = (this.#to - this.#from) / columns
    for (let x = 0; x < columns; x++) {
      drawColumn(sheet, x, space.shares(this.#from + x * per, this.#from + (x + 1) * per), paints)
    }
    const pages = (this.#to - this.#from) / shown.pageSize
    const placeToX = (place: number): number => ((place - this.#from) / (this.#to - this.#from)) * width
    if (pages <= width / 6) {
      // Mark single pages when they are wide enough to tell apart.
      context.fillStyle = colour('--card')
      for (let at = Math.ceil(this.#from / shown.pageSize) * shown.pageSize; at < this.#to; at += shown.pageSize)
        context.fillRect(placeToX(at), 0, 1, height)
    }
    this.#nameRegions(sheet, shown, space, placeToX)
    if (!this.#isPointed) return
    context.lineWidth = 2
    context.strokeStyle = colour('--ink')
    context.strokeRect(
      placeToX(Math.floor(this.#cursor / shown.pageSize) * shown.pageSize),
      0.5,
      Math.max(2, width / pages),
      height - 1,
    )
  }
}

/** Whose pages those are that no category counts: a region's, until it maps them. */
function ownerAt({ regions }: Shown, at: number): string {
  const region = regions.find(({ address, size }) => at >= address && at < address + size)
  return region === undefined ? 'no category' : `of ${shownName(region.name)}`
}

/** Draws Ready at the bottom, Prepared on it and Reserved on top. A state with any bytes gets at least one line. */
function drawColumn(
  { context, height, scale }: Sheet,
  x: number,
  shares: readonly number[],
  paints: readonly (string | CanvasPattern)[],
): void {
  const all = shares.reduce((sum, share) => sum + share, 0)
  if (all <= 0) return
  const least = 2 / scale
  const tall = shares.map((share) => (share > 0 ? Math.max(least, (share / all) * height) : 0))
  const tallest = tall.indexOf(Math.max(...tall))
  tall[tallest] = (tall[tallest] as number) + height - tall.reduce((sum, one) => sum + one, 0)
  let bottom = height
  for (let state = 3; state >= 1; state--) {
    const high = tall[state - 1] as number
    context.fillStyle = paints[state] ?? ''
    context.fillRect(x / scale, bottom - high, 1 / scale, high)
    bottom -= high
  }
}
