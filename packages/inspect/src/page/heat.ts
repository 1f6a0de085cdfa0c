// The pages of a region as a grid, row by row, for the part of the region in view. A square cell is a page times a
// power of two. Its fill shows how much of it is resident.
import { shownName } from '../names.js'
import type { PageCells, SnapshotRegion } from '../snapshot.js'
import { byId, bytes, colour, hex, say, sheetOf } from './dom.js'
import { partOf } from './lanes.js'
import type { Told, Wanted } from './pages.js'

/** The smallest and the largest side of a cell, in CSS pixels. */
const [cellSideMin, cellSideMax] = [10, 26]
const cellsMax = 4096

/** The heat map. */
export class Heat {
  readonly #canvas = byId<HTMLCanvasElement>('heat')
  #region: SnapshotRegion | null = null
  #told: Told | null = null
  #pageSize = 4096

  /** The range of pages to request, so that `region` can be shown between two addresses. */
  wanted(region: SnapshotRegion, from: number, to: number, pageSize: number): Wanted {
    const [width, height] = [this.#canvas.clientWidth, Number(this.#canvas.dataset['height'] ?? 220)]
    const most = Math.max(64, Math.min(cellsMax, Math.floor(width / cellSideMin) * Math.floor(height / cellSideMin)))
    const isOutside = to <= region.address || from >= region.address + region.size
    return isOutside
      ? partOf(region, region.address, region.address + region.size, pageSize, most)
      : partOf(region, from, to, pageSize, most)
  }

  /** Shows the answer for a region. */
  show(region: SnapshotRegion, told: Told, pageSize: number): void {
    ;[this.#region, this.#told, this.#pageSize] = [region, told, pageSize]
    this.draw()
  }

  /** Draws the grid in the current colours. */
  draw(): void {
    const { context, width, height } = sheetOf(this.#canvas)
    const [region, told] = [this.#region, this.#told]
    if (region === null || told === null) return
    const says = byId('heat-says')
    if (typeof told === 'string') {
      delete says.dataset['resident']
      say('heat-says', `${shownName(region.name)}: ${told}.`)
      return
    }
    const cells = told.residentCells.length
    let side = cellSideMax
    while (side > 2 && Math.floor(width / side) * Math.floor(height / side) < cells) side -= 1
    drawCells(context, told, Math.max(1, Math.floor(width / side)), side, told.unit / this.#pageSize)
    say('heat-says', wordsOf(region, told, this.#pageSize))
    says.dataset['resident'] = String(told.resident)
    says.dataset['unit'] = String(told.unit)
    says.dataset['side'] = String(side)
  }
}

function drawCells(
  context: CanvasRenderingContext2D,
  pages: PageCells,
  columns: number,
  side: number,
  unitPages: number,
): void {
  const [cold, warm, huge, swapped] = [colour('--cold'), colour('--s3'), colour('--huge'), colour('--s2')]
  const inner = side > 4 ? side - 1 : side
  context.lineWidth = side > 12 ? 2 : 1
  for (const [c, resident] of pages.residentCells.entries()) {
    const [x, y] = [(c % columns) * side, Math.floor(c / columns) * side]
    context.globalAlpha = 1
    context.fillStyle = cold
    context.fillRect(x, y, inner, inner)
    if ((pages.swappedCells[c] ?? 0) > 0) {
      context.fillStyle = swapped
      context.fillRect(x, y, inner, inner)
    }
    if (resident > 0) {
      context.globalAlpha = 0.3 + 0.7 * Math.min(1, resident / unitPages)
      context.fillStyle = warm
      context.fillRect(x, y, inner, inner)
    }
    if ((pages.hugeCells[c] ?? 0) === 0) continue
    context.globalAlpha = 1
    context.strokeStyle = huge
    context.strokeRect(
      x + context.lineWidth / 2,
      y + context.lineWidth / 2,
      inner - context.lineWidth,
      inner - context.lineWidth,
    )
  }
  context.globalAlpha = 1
}

function wordsOf(region: SnapshotRegion, pages: PageCells, pageSize: number): string {
  const isPart = pages.size < region.size
  const where = isPart
    ? `${bytes(pages.size)} from ${hex(pages.address)} on, of ${bytes(region.size)}`
    : bytes(region.size)
  const count = pages.unit / pageSize
  const cell = `a cell is ${bytes(pages.unit)}, ${count === 1 ? 'one page' : `${count} pages`}`
  const more = pages.looked < pages.size ? `; only the first ${bytes(pages.looked)} were looked at` : ''
  const kinds = `${bytes(pages.huge)} in huge pages, ${bytes(pages.swapped)} swapped`
  return `${shownName(region.name)}: ${bytes(pages.resident)} of ${where} resident, ${kinds}; ${cell}${more}.`
}
