// The current figures: four large ones, each with a sparkline of its past, and the others in a row.
import type { Moment } from '../snapshot.js'
import { byId, bytes, clock, colour, figure, make, sheetOf } from './dom.js'
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
    more: ({ resident }) => (resident === null ? '' : `${bytes(resident.resident)} of it resident`),
  },
  {
    name: 'Resident',
    colour: '--dim',
    of: ({ resident }) => resident,
    more: ({ process }) => (process.limit === null ? 'no limit' : `of at most ${bytes(process.limit)}`),
  },
  { name: 'JS heap', colour: '--jsHeap', of: ({ heapUsed }) => heapUsed, more: () => 'in use' },
  {
    name: 'External',
    colour: '--arrayBuffers',
    of: ({ external }) => external,
    more: ({ explanation }) => (explanation === null ? '' : `${bytes(explanation.external)} without views`),
  },
]

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

  /** Shows a snapshot's figures. The last moment of `history` is this snapshot. */
  show(shown: Shown, history: readonly Moment[]): void {
    for (const [i, { number, more, spark, told }] of this.#cards.entries()) {
      const { of, more: moreOf, colour: name } = large[i] as Large
      const values = history.slice(-SPARK).map(of)
      const value = values.at(-1) ?? null
      told.dataset['value'] = String(value ?? '')
      told.title = String(value ?? '')
      number.textContent = bytes(value)
      // A space keeps the card as tall as its neighbours.
      more.textContent = moreOf(shown) || '\u00A0'
      drawSpark(
        spark,
        values.filter((one) => one !== null),
        colour(name),
      )
    }
    byId('figures').replaceChildren(...small(shown))
  }
}

function small({ stats, mappings }: Shown): HTMLElement[] {
  const { reserved, prepared, held, peak, calls, refusals } = stats.total
  const shown = [
    figure('Reserved', reserved),
    figure('Prepared', prepared),
    figure('Held', held),
    figure('Retired', stats.retired),
    figure('Peak', peak),
    figure('Operations', calls, String(calls)),
    figure('Refused', refusals, String(refusals)),
  ]
  if (mappings !== null)
    shown.push(figure('Mappings', mappings.used, `${mappings.used} of ${mappings.limit}, at ${clock(mappings.at)}`))
  return shown
}

function drawSpark(canvas: HTMLCanvasElement, values: readonly number[], stroke: string): void {
  const { context, width, height } = sheetOf(canvas)
  if (values.length < 2) return
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const point = (i: number): readonly [number, number] => {
    const share = high === low ? 0.5 : ((values[i] as number) - low) / (high - low)
    return [(i / (values.length - 1)) * width, height - 3 - share * (height - 6)]
  }
  context.beginPath()
  for (let i = 0; i < values.length; i++) context.lineTo(...point(i))
  context.strokeStyle = stroke
  context.lineWidth = 1.75
  context.stroke()
  context.lineTo(width, height)
  context.lineTo(0, height)
  context.globalAlpha = 0.14
  context.fillStyle = stroke
  context.fill()
}
