// Ready memory by category and region, as a treemap and as a table. It shows all of it, so the parts sum to the total.
import { shortened } from '../frame.js'
import { shownName, visible } from '../names.js'
import { fill } from './fill.js'
import { Filter } from './filter.js'
import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy'
import type { RegionSums } from '../region-sums.js'
import { byId, bytes, head, make, say, sheetOf } from './dom.js'
import type { Shown } from './shown.js'

/** Above so many categories, regions are grouped by the place where they were reserved. */
const categoriesMax = 24
/** Square pixels that a rectangle has at least. What is smaller shares one: it could not be told apart. */
const areaMin = 1200

interface Leaf {
  readonly name: string
  readonly size: number
  readonly children?: readonly Leaf[]
}

/** Draws the treemap, and the table when it is open. */
export function drawTree(shown: Shown, sums: RegionSums): void {
  const { context, width, height } = sheetOf(byId<HTMLCanvasElement>('tree'))
  const { groups: categories, kind } = groupsOf(shown, sums, (shown.stats.total.ready * areaMin) / (width * height))
  const root = hierarchy<Leaf>({ name: '', size: 0, children: categories }, (leaf) => leaf.children).sum(
    ({ size }) => size,
  )
  const all = root.value ?? 0
  byId('tree-says').dataset['value'] = String(all)
  say('tree-says', all === 0 ? 'Nothing is Ready.' : `Ready: ${bytes(all)} in ${kind}.`)
  const laid = treemap<Leaf>()
    .tile(treemapSquarify)
    .size([width, height])
    .paddingOuter(1)
    .paddingTop(18)
    .paddingInner(2)(root)
  if (all > 0) for (const [i, node] of (laid.children ?? []).entries()) drawCategory(context, node, i)
  if (byId<HTMLDetailsElement>('tree-details').open) drawTable(categories)
}

interface Groups {
  readonly groups: readonly Leaf[]
  /** What they are: `3 categories`. */
  readonly kind: string
}

/**
 * Ready memory in groups: by category, or by place where there are many categories. What is smaller than `least` is
 * joined with its neighbours, so the groups sum to all of it.
 */
function groupsOf({ regions, stats, categories }: Shown, { ready, readyInRegions }: RegionSums, least: number): Groups {
  const isByPlace = categories.length - 1 > categoriesMax
  const groups = new Map<string, Leaf[]>()
  const into = (name: string, leaf: Leaf): void => {
    const leaves = groups.get(name)
    if (leaves === undefined) groups.set(name, [leaf])
    else leaves.push(leaf)
  }
  for (const [i, { name, category, made }] of regions.entries()) {
    const size = ready[i] ?? 0
    if (size > 0) into(isByPlace ? shortened(made) : category, { name, size })
  }
  for (const [place, name] of categories.entries()) {
    const counted = (place === 0 ? stats.uncategorized : stats.categories[name])?.ready ?? 0
    const size = counted - (readyInRegions[place] ?? 0)
    if (size <= 0) continue
    const category = place === 0 ? 'no category' : name
    if (isByPlace) into('in no region', { name: category, size })
    else into(category, { name: 'in no region', size })
  }
  const count = groups.size
  const kind = isByPlace ? (count === 1 ? 'place' : 'places') : count === 1 ? 'category' : 'categories'
  const parents = Array.from(groups, ([name, leaves]) => ({ name, size: 0, children: joined(leaves, least) }))
  return { groups: joinedGroups(parents, 3 * least), kind: `${count} ${kind}` }
}

/** The leaves from `least` bytes on, and one for all the others. */
function joined(leaves: readonly Leaf[], least: number): Leaf[] {
  const large = leaves.filter(({ size }) => size >= least)
  const others = leaves.filter(({ size }) => size < least)
  if (others.length < 2) return [...leaves]
  return [...large, { name: `${others.length} others`, size: others.reduce((sum, { size }) => sum + size, 0) }]
}

/** The groups from `least` bytes on, and one for all the others. */
function joinedGroups(groups: readonly Required<Leaf>[], least: number): Leaf[] {
  const sizes = groups.map(({ name, children }) => ({ name, size: children.reduce((sum, { size }) => sum + size, 0) }))
  const small = sizes.filter(({ size }) => size < least)
  if (small.length < 2) return [...groups]
  const large = groups.filter((_, i) => (sizes[i]?.size ?? 0) >= least)
  return [...large, { name: `${small.length} others`, size: 0, children: joined(small, least) }]
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

let filter: Filter | undefined
let last: readonly Leaf[] = []

function drawTable(categories: readonly Leaf[]): void {
  last = categories
  const search = (filter ??= new Filter('tree', () => drawTable(last)))
  const row = (name: string, size: number, type: string): HTMLElement =>
    make(
      'tr',
      { class: type },
      make('td', { title: visible(name) }, make('bdi', {}, shownName(name))),
      make('td', { class: 'n', 'data-value': String(size) }, bytes(size)),
    )
  const rows = categories.flatMap(({ name, children = [] }) => {
    const all = children.reduce((sum, { size }) => sum + size, 0)
    const found = children.filter((leaf) => search.accepts([name, leaf.name]))
    if (found.length === 0 && !search.accepts([name])) return []
    return [row(name, all, 'whole'), ...found.map((leaf) => row(leaf.name, leaf.size, 'nested'))]
  })
  fill(byId('tree-table'), head(['Category and region', 'Ready'], ['Ready']), make('tbody', {}, ...rows))
}
