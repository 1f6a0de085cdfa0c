// Patterns that stand beside colours, for eyes and screens that can't tell the colours apart. The bar, the chart, the
// strip and the keys use the same ones.
import { colour } from './dom.js'

/** A pattern: dark lines or dots over the colour. */
export type Pattern =
  'plain' | 'rising' | 'falling' | 'crossed' | 'dotted' | 'level' | 'upright' | 'grid' | 'dashed' | 'checked' | 'sparse'

/**
 * The pattern of each part of resident memory and of each state, by the name of its colour. No two that are shown
 * together have the same one.
 */
export const patternOf: Readonly<Record<string, Pattern>> = {
  '--s1': 'sparse',
  '--s2': 'rising',
  '--ready': 'dotted',
  '--s3': 'plain',
  '--layer': 'plain',
  '--retired': 'checked',
  '--otherMemories': 'upright',
  '--otherThreads': 'dashed',
  '--jsHeap': 'rising',
  '--arrayBuffers': 'dotted',
  '--mallocSlack': 'falling',
  '--malloc': 'crossed',
  '--files': 'level',
  '--stacks': 'grid',
  '--unexplained': 'sparse',
  '--rest': 'sparse',
}

/** Pixels after which a pattern repeats. */
const side = 8

/** How a pattern is drawn on a square of 8 by 8. */
const drawings: Readonly<Record<Pattern, (context: CanvasRenderingContext2D) => void>> = {
  plain: () => {
    // Nothing to do: the colour alone.
  },
  rising: (context) => lines(context, [0, side, side, 0]),
  falling: (context) => lines(context, [0, 0, side, side]),
  crossed: (context) => lines(context, [0, side, side, 0], [0, 0, side, side]),
  level: (context) => lines(context, [0, side / 2, side, side / 2]),
  upright: (context) => lines(context, [side / 2, 0, side / 2, side]),
  grid: (context) => lines(context, [0, side / 2, side, side / 2], [side / 2, 0, side / 2, side]),
  dashed: (context) => lines(context, [0, side / 2, side / 2, side / 2]),
  checked: (context) => {
    for (const at of [0, side / 2]) context.fillRect(at, at, side / 2, side / 2)
  },
  dotted: (context) => {
    for (const at of [1, 5]) context.fillRect(at, at, 2, 2)
  },
  sparse: (context) => context.fillRect(3, 3, 2, 2),
}

function lines(
  context: CanvasRenderingContext2D,
  ...all: readonly (readonly [number, number, number, number])[]
): void {
  for (const [x0, y0, x1, y1] of all) {
    context.beginPath()
    context.moveTo(x0, y0)
    context.lineTo(x1, y1)
    context.stroke()
  }
}

/** What to fill with on a canvas: the colour of this name, with its pattern over it. */
export function paint(context: CanvasRenderingContext2D, name: string): string | CanvasPattern {
  const base = colour(name)
  const pattern = patternOf[name] ?? 'plain'
  if (pattern === 'plain') return base
  const tile = Object.assign(document.createElement('canvas'), { width: side, height: side })
  const on = tile.getContext('2d') as CanvasRenderingContext2D
  on.fillStyle = base
  on.fillRect(0, 0, side, side)
  on.fillStyle = on.strokeStyle = colour('--mark')
  on.lineWidth = 1
  drawings[pattern](on)
  return context.createPattern(tile, 'repeat') ?? base
}

/** What to fill each state with, indexed by the state's number. Resident memory has a colour of its own, `--s3`. */
export function statePaints(context: CanvasRenderingContext2D): readonly (string | CanvasPattern)[] {
  return ['', ...['--s1', '--s2', '--ready'].map((name) => paint(context, name))]
}
