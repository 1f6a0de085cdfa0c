// Ready memory by category and region, as a treemap and as a table. It shows all of it, so the parts sum to the total.
import { shownName, visible } from '../names.js'
import { fill } from './fill.js'
import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy'
import type { RegionSums } from '../region-sums.js'
import { byId, bytes, head, make, say, sheetOf } from './dom.js'
import type { Shown } from './shown.js'

/** Regions with a rectangle of their own. The rest of a category share one. */
const leavesMax = 150

interface Leaf {
  readonly name: string
  readonly size: number
  readonly children?: readonly Leaf[]
}

/** Draws the treemap, and the table when it is open. */
export function drawTree(shown: Shown, sums: RegionSums): void {
  const categories = leavesOf(shown, sums)
  const { context, width, height } = sheetOf(byId<HTMLCanvasElement>('tree'))
  const root = hierarchy<Leaf>({ name: '', size: 0, children: categories }, (leaf) => leaf.children).sum(
    ({ size }) => size,
  )
  const all = root.value ?? 0
  byId('tree-says').dataset['value'] = String(all)
  say(
    'tree-says',
    all === 0
      ? 'Nothing is Ready.'
      : `Ready: ${bytes(all)} in ${categories.length} ${categories.length === 1 ? 'category' : 'categories'}.`,
  )
  const laid = treemap<Leaf>()
    .tile(treemapSquarify)
    .size([width, height])
    .paddingOuter(1)
    .paddingTop(18)
    .paddingInner(2)(root)
  if (all > 0) for (const [i, node] of (laid.children ?? []).entries()) drawCategory(context, node, i)
  if (byId<HTMLDetailsElement>('tree-details').open) drawTable(categories)
}

/** The categories: their largest regions, the rest of their regions, and their memory outside regions. */
function leavesOf({ regions, stats, categories }: Shown, { ready, readyInRegions }: RegionSums): Leaf[] {
  const least = leastShown(ready)
  const byCategory = new Map<string, { leaves: Leaf[]; others: number; count: number }>()
  const of = (name: string): { leaves: Leaf[]; others: number; count: number } => {
    const found = byCategory.get(name) ?? { leaves: [], others: 0, count: 0 }
    byCategory.set(name, found)
    return found
  }
  for (const [i, { name, category }] of regions.entries()) {
    const size = ready[i] ?? 0
    if (size === 0) continue
    const into = of(category)
    if (size >= least && into.leaves.length < leavesMax) into.leaves.push({ name, size })
    else {
      into.others += size
      into.count += 1
    }
  }
  for (const [place, name] of categories.entries()) {
    const counted = (place === 0 ? stats.uncategorized : stats.categories[name])?.ready ?? 0
    const size = counted - (readyInRegions[place] ?? 0)
    if (size > 0) of(place === 0 ? 'no category' : name).leaves.push({ name: 'in no region', size })
  }
  return Array.from(byCategory, ([name, { leaves, others, count }]) => {
    if (others > 0) leaves.push({ name: `${count} others`, size: others })
    return { name, size: 0, children: leaves }
  })
}

/** The smallest size of a region with its own rectangle. */
function leastShown(ready: Float64Array): number {
  if (ready.length <= leavesMax) return 0
  // A typed array sorts numbers without a comparison function.
  return ready.toSorted()[ready.length - leavesMax] ?? 0
}

function drawCategory(context: CanvasRenderingContext2D, node: HierarchyRectangularNode<Leaf>, i: number): void {
  const hue = (i * 67 + 150) % 360
  context.fillStyle = `hsl(${hue} 38% 27%)`
  context.fillRect(node.x0, node.y0, node.x1 - node.x0, node.y1 - node.y0)
  for (const [k, leaf] of node.leaves().entries()) {
    context.fillStyle = `hsl(${hue} 42% ${k % 2 === 0 ? 35 : 39}%)`
    context.fillRect(leaf.x0, leaf.y0, leaf.x1 - leaf.x0, leaf.y1 - leaf.y0)
    write(context, leaf, leaf.y0 + 15, [shownName(leaf.data.name), bytes(leaf.value ?? 0)])
  }
  write(context, { x0: node.x0, x1: node.x1, y0: node.y0, y1: node.y0 + 18 }, node.y0 + 13, [
    `${shownName(node.data.name)} · ${bytes(node.value ?? 0)}`,
  ])
}

/** Writes lines of text as far as they fit. */
function write(
  context: CanvasRenderingContext2D,
  box: { x0: number; x1: number; y0: number; y1: number },
  baseline: number,
  texts: readonly string[],
): void {
  if (box.x1 - box.x0 < 36) return
  context.save()
  context.beginPath()
  context.rect(box.x0, box.y0, box.x1 - box.x0 - 3, box.y1 - box.y0)
  context.clip()
  context.fillStyle = '#fff'
  context.font = '12px system-ui, sans-serif'
  for (const [i, text] of texts.entries())
    if (baseline + 15 * i < box.y1 - 2) context.fillText(text, box.x0 + 5, baseline + 15 * i)
  context.restore()
}

function drawTable(categories: readonly Leaf[]): void {
  const row = (name: string, size: number, type: string): HTMLElement =>
    make(
      'tr',
      { class: type },
      make('td', { title: visible(name) }, make('bdi', {}, shownName(name))),
      make('td', { class: 'n', 'data-value': String(size) }, bytes(size)),
    )
  const rows = categories.flatMap(({ name, children = [] }) => {
    const all = children.reduce((sum, { size }) => sum + size, 0)
    return [row(name, all, 'whole'), ...children.map((leaf) => row(leaf.name, leaf.size, 'nested'))]
  })
  fill(byId('tree-table'), head(['Category and region', 'Ready'], ['Ready']), make('tbody', {}, ...rows))
}
