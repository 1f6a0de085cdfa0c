// The smaller views: the chart over time, the treemap, the heat map of a region's pages.
import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy'
import uPlot from 'uplot'
import type { Snapshot, SnapshotRegion } from '../snapshot.js'
import { byId, bytes, colour, fit } from './dom.js'

const MOST_POINTS = 3600

/** The chart: bytes over time. */
export class Chart {
  readonly #data: (number | null)[][] = [[], [], [], [], [], [], [], []]
  #plot: uPlot | null = null

  /** Adds a moment. The C library's slack is known only of some. */
  add(snapshot: Snapshot): void {
    const { stats, process, explanation } = snapshot
    const slack = explanation?.mallocSlack ?? (this.#data[5]?.at(-1) ?? null)
    const row = [snapshot.at / 1000, stats.total.ready, stats.total.prepared, process.heapUsed, process.external, slack, process.resident, process.limit]
    for (const [i, value] of row.entries()) {
      const column = this.#data[i] as (number | null)[]
      column.push(value)
      if (column.length > MOST_POINTS) column.shift()
    }
    this.#plot ??= this.#make()
    this.#plot.setData(this.#data as uPlot.AlignedData)
  }

  #make(): uPlot {
    const host = byId('chart')
    const names = ['Ready', 'Prepared', 'JS heap', 'external', 'slack', 'resident', 'limit']
    const strokes = [colour('--s3'), colour('--s2'), '#4f83cc', '#9b6dd7', '#c2587a', colour('--ink'), '#d1453b']
    const value = (_: uPlot, n: number | null): string => (n === null ? '–' : bytes(n))
    const axis = { stroke: colour('--ink'), grid: { stroke: '#8883' } }
    return new uPlot(
      {
        width: Math.max(320, host.clientWidth),
        height: 220,
        series: [{}, ...names.map((label, i) => ({ label, value, stroke: strokes[i] ?? '', width: 1.5, show: label !== 'limit' }))],
        axes: [axis, { ...axis, size: 80, values: (_, ticks) => ticks.map((n) => bytes(n)) }],
      },
      this.#data as uPlot.AlignedData,
      host,
    )
  }
}

interface Leaf {
  readonly name: string
  readonly size: number
  readonly children?: readonly Leaf[]
}

/** Categories as rectangles, their regions within, by size. */
export function drawTree({ regions }: Snapshot): void {
  const categories = Map.groupBy(regions.slice(0, 2000), ({ category }) => category)
  const children = Array.from(categories, ([name, own]) => ({ name, size: 0, children: own.map((region) => ({ name: region.name, size: region.size })) }))
  const { context, width, height } = fit(byId<HTMLCanvasElement>('tree'))
  const root = hierarchy<Leaf>({ name: '', size: 0, children }, (leaf) => leaf.children).sum(({ size }) => size)
  const laid = treemap<Leaf>().tile(treemapSquarify).size([width, height]).paddingTop(16).paddingInner(2)(root)
  for (const [i, category] of (laid.children ?? []).entries()) drawCategory(context, category, i)
  byId('tree-says').textContent = (laid.children ?? []).map(({ data, value = 0 }) => `${data.name} ${bytes(value)}`).join(', ')
}

function drawCategory(context: CanvasRenderingContext2D, node: HierarchyRectangularNode<Leaf>, i: number): void {
  const hue = (i * 67 + 150) % 360
  context.fillStyle = `hsl(${hue} 35% 45%)`
  context.fillRect(node.x0, node.y0, node.x1 - node.x0, node.y1 - node.y0)
  for (const leaf of node.leaves()) {
    context.fillStyle = `hsl(${hue} 45% 58%)`
    context.fillRect(leaf.x0, leaf.y0, leaf.x1 - leaf.x0, leaf.y1 - leaf.y0)
  }
  context.fillStyle = '#fff'
  context.font = '12px system-ui'
  if (node.x1 - node.x0 > 40) context.fillText(`${node.data.name} ${bytes(node.value ?? 0)}`, node.x0 + 4, node.y0 + 12, node.x1 - node.x0 - 8)
}

/** What the server says of a region's pages: three numbers a run: address, size, 1 resident + 2 huge + 4 swapped. */
export interface Pages {
  readonly known: boolean
  readonly resident: number | null
  readonly huge: number | null
  readonly swapped: number | null
  readonly runs: readonly number[]
}

/** The pages of a region as a grid, row by row: how much of each cell has memory behind it. */
export function drawHeat(region: SnapshotRegion, pageSize: number, pages: Pages): void {
  const { context, width, height } = fit(byId<HTMLCanvasElement>('heat'))
  const says = byId('heat-says')
  if (!pages.known) {
    says.textContent = `${region.name}: this host does not tell which pages are resident.`
    return
  }
  const count = region.size / pageSize
  const cell = Math.max(4, Math.floor(Math.sqrt((width * height) / count)))
  const columns = Math.max(1, Math.floor(width / cell))
  const cells = Math.min(count, columns * Math.max(1, Math.floor(height / cell)))
  const heat = new Float64Array(cells)
  const hugeCells = new Uint8Array(cells)
  const perCell = region.size / cells
  for (let i = 0; i < pages.runs.length; i += 3) {
    const [address = 0, size = 0, bits = 0] = pages.runs.slice(i, i + 3)
    const [start, end] = [address - region.address, address - region.address + size]
    for (let c = Math.floor(start / perCell); c < cells && c * perCell < end; c++) {
      if ((bits & 1) !== 0) heat[c] = (heat[c] as number) + (Math.min(end, (c + 1) * perCell) - Math.max(start, c * perCell)) / perCell
      if ((bits & 2) !== 0) hugeCells[c] = 1
    }
  }
  const [cold, warm, huge] = [colour('--line'), colour('--s3'), '#4f83cc']
  for (let c = 0; c < cells; c++) {
    const [x, y] = [(c % columns) * cell, Math.floor(c / columns) * cell]
    context.globalAlpha = 1
    context.fillStyle = cold
    context.fillRect(x, y, cell - 1, cell - 1)
    if (heat[c] === 0) continue
    context.globalAlpha = 0.25 + 0.75 * Math.min(1, heat[c] as number)
    context.fillStyle = hugeCells[c] === 1 ? huge : warm
    context.fillRect(x, y, cell - 1, cell - 1)
  }
  says.textContent = `${region.name}: ${bytes(pages.resident ?? NaN)} of ${bytes(region.size)} resident, ${bytes(pages.huge ?? NaN)} in huge pages, ${bytes(pages.swapped ?? NaN)} swapped; a cell is ${bytes(perCell)}.`
  says.dataset['resident'] = String(pages.resident)
}
