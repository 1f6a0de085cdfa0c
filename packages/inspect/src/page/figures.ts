// The current figures: four large ones, each with a sparkline of its past, and the others in a row.
import { fill, write } from './fill.js'
import type { Moment } from '../snapshot.js'
import { age, byId, bytes, clock, colour, figure, make, sheetOf } from './dom.js'
import type { Shown } from './shown.js'

/** Moments in a sparkline. */
const SPARK = 120

interface Large {
  readonly name: string
  readonly colour: string
  of(moment: Moment): number | null
  more(shown: Shown): string
}

const large: readonly Large[] = [
  {
    name: 'Ready',
    colour: '--layer',
    of: ({ ready }) => ready,
    more: residentWords,
  },
  {
    name: 'Resident',
    colour: '--dim',
    of: ({ resident }) => resident,
    more: ({ process: { limit, limitName } }) =>
      limit === null ? 'no limit' : `of at most ${bytes(limit)}, ${limitName ?? 'a limit'}`,
  },
  { name: 'JS heap', colour: '--jsHeap', of: ({ heapUsed }) => heapUsed, more: () => 'in use' },
  {
    name: 'External',
    colour: '--arrayBuffers',
    of: ({ external }) => external,
    more: ({ explanation }) => (explanation === null ? '' : `${bytes(explanation.external)} without views`),
  },
]

/** How much of this memory is resident, and how old and how complete that figure is. */
function residentWords({ resident, at }: Shown): string {
  if (resident === null) return ''
  const { missing } = resident
  const part = missing === 0 ? '' : `, ${bytes(missing)} not looked at yet`
  return `${missing === 0 ? '' : 'at least '}${bytes(resident.resident)} of it resident${part}${age(resident.at, at)}`
}

/** The current figures. */
export class Figures {
  readonly #cards = large.map(({ name }) => {
    const [number, more, spark] = [
      make('span', {}),
      make('div', { class: 'more' }),
      make('canvas', { height: '34', 'aria-hidden': 'true' }) as HTMLCanvasElement,
    ]
    const told = make('dd', { 'data-name': name }, number, more, spark)
    byId('large').append(make('div', {}, make('dt', {}, name), told))
    return { number, more, spark, told }
  })

  constructor() {
    byId('meanings').replaceChildren(...meanings())
  }

  /** Shows a snapshot's figures. The last moment of `history` is this snapshot. */
  show(shown: Shown, history: readonly Moment[]): void {
    for (const [i, { number, more, spark, told }] of this.#cards.entries()) {
      const { of, more: moreOf, colour: name } = large[i] as Large
      const values = history.slice(-SPARK).map(of)
      const value = values.at(-1) ?? null
      told.dataset['value'] = String(value ?? '')
      told.title = String(value ?? '')
      write(number, bytes(value))
      // A space keeps the card as tall as its neighbours.
      write(more, moreOf(shown) || '\u00A0')
      drawSpark(spark, values, colour(name))
    }
    fill(byId('figures'), ...small(shown))
  }
}

interface Small {
  readonly name: string
  /** What the figure is, in a sentence. */
  readonly means: string
  of(shown: Shown): number | null
  text?(value: number, shown: Shown): string
}

const smalls: readonly Small[] = [
  {
    name: 'Reserved',
    means: 'Address space without memory behind it. Touching it faults.',
    of: ({ stats }) => stats.total.reserved,
  },
  {
    name: 'Prepared',
    means: 'Mapped, and meant to have no memory behind it. The OS may take its pages back when it likes.',
    of: ({ stats }) => stats.total.prepared,
  },
  {
    name: 'Retained',
    means: 'Of what is Prepared, idle pages that keep their memory until the scavenger takes it.',
    of: ({ stats }) => stats.retained,
  },
  {
    name: 'Released',
    means: 'Of what is Prepared, pages that were given back to the OS.',
    of: ({ stats }) => stats.total.prepared - stats.retained,
  },
  {
    name: 'Held',
    means: 'Obtained for a category and not freed, whatever its state is now. Reserved pages are not in it.',
    of: ({ stats }) => stats.total.held,
  },
  {
    name: 'Retired',
    means: 'Freed address space that is kept, so that a late access finds zeroes there. It serves later reservations.',
    of: ({ stats }) => stats.retired,
  },
  {
    name: 'Pinned',
    means:
      'Pages of views whose bytes were moved to another buffer. They stay Ready until region.reclaim gets that buffer.',
    of: ({ stats }) => stats.pinned ?? 0,
  },
  {
    name: 'Peak',
    means: 'The most that was ever Ready at once.',
    of: ({ stats }) => stats.total.peak,
  },
  {
    name: 'Operations',
    means: 'Operations that reached the kernel since the memory was made. The table of operations begins later.',
    of: ({ stats }) => stats.total.calls,
    text: String,
  },
  {
    name: 'Refused',
    means: 'Of these operations, those for which the OS had no memory or no mapping. Nothing changed then.',
    of: ({ stats }) => stats.total.refusals,
    text: String,
  },
  {
    name: 'Limit',
    means: 'What memory.limit allows, and what is used of it. An operation that would pass it is refused.',
    of: ({ limits }) => limits.own?.bytes ?? null,
    text: (limit, { limits: { own } }) => `${bytes(own?.used ?? null)} of ${bytes(limit)}, ${own?.name ?? ''}`,
  },
  {
    name: 'Mappings',
    means: 'Kernel mappings of the whole process, as last counted. At its limit the kernel refuses every operation.',
    of: ({ mappings }) => mappings?.used ?? null,
    text: (used, { mappings }) => `${used} of ${mappings?.limit}, at ${clock(mappings?.at ?? 0)}`,
  },
]

/** What the large figures are. */
const largeMeans: readonly (readonly [name: string, means: string])[] = [
  ['Ready', 'Memory that may be touched. It becomes resident, page by page, at the first touch.'],
  ['Resident', 'The memory of the whole process that the kernel has given it, and that counts to its limit.'],
  ['JS heap', 'What JavaScript objects use of the heap of this thread.'],
  ['External', 'Memory that the engine counts for its objects outside the heap. Without views: less what views add.'],
]

/** The sentences, which stand below the figures. */
function meanings(): HTMLElement[] {
  const all = [...largeMeans, ...smalls.map(({ name, means }) => [name, means] as const)]
  return all.flatMap(([name, means]) => [make('dt', {}, name), make('dd', {}, means)])
}

function small(shown: Shown): HTMLElement[] {
  return smalls.flatMap(({ name, means, of, text }) => {
    const value = of(shown)
    if (value === null) return []
    const made = figure(name, value, text?.(value, shown))
    made.title = means
    return [made]
  })
}

/** Draws values over time. Where one is not known, there is a gap. */
function drawSpark(canvas: HTMLCanvasElement, values: readonly (number | null)[], stroke: string): void {
  const { context, width, height } = sheetOf(canvas)
  const known = values.filter((one) => one !== null)
  if (known.length < 2) return
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const x = (i: number): number => (i / (values.length - 1)) * width
  const y = (value: number): number => height - 3 - (high === low ? 0.5 : (value - low) / (high - low)) * (height - 6)
  ;[context.strokeStyle, context.fillStyle, context.lineWidth] = [stroke, stroke, 1.75]
  for (let i = 0; i < values.length; i++) {
    const start = i
    context.beginPath()
    for (let value = values[i] ?? null; value !== null; value = values[++i] ?? null) context.lineTo(x(i), y(value))
    if (i === start) continue
    context.globalAlpha = 1
    context.stroke()
    context.lineTo(x(i - 1), height)
    context.lineTo(x(start), height)
    context.globalAlpha = 0.14
    context.fill()
  }
}
