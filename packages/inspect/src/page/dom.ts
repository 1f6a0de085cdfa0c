// Elements by their ids, text, bytes and colours: what the page's views share.

/** The element of the page with this id. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.querySelector<T>(`#${id}`)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

/** An element with children: texts stay texts, whatever is in them. */
export function make(
  tag: string,
  attributes: Readonly<Record<string, string>>,
  ...children: (Node | string)[]
): HTMLElement {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** Sets a text where it has changed: whoever listens to the element hears of changes alone. */
export function say(id: string, text: string): void {
  const element = byId(id)
  if (element.textContent !== text) element.textContent = text
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `12.5 MiB`. */
export function bytes(n: number | null): string {
  if (n === null || !Number.isFinite(n)) return '–'
  let [value, unit] = [Math.abs(n), 0]
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  const isWhole = unit === 0 || Number.isInteger(value)
  return `${n < 0 ? '−' : ''}${isWhole ? value : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** `0x7f00…`. */
export const hex = (n: number): string => `0x${n.toString(16)}`

/** `12:03:04`. */
export const clock = (at: number): string => new Date(at).toLocaleTimeString()

/** A colour of the style, by its name there. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name)
}

/** The colours of the states, by their numbers. */
export function stateColours(): readonly string[] {
  return ['', colour('--s1'), colour('--s2'), colour('--s3')]
}

/** A figure with a name; `data-value` keeps the exact number where scripts and tests find it. */
export function figure(name: string, n: number, text: string = bytes(n)): HTMLElement {
  return make(
    'div',
    {},
    make('dt', {}, name),
    make('dd', { 'data-name': name, 'data-value': String(n), title: String(n) }, text),
  )
}

/** A row of titles: those of `numbers` stand over their figures. */
export function head(titles: readonly string[], numbers: readonly string[]): HTMLElement {
  return make(
    'thead',
    {},
    make(
      'tr',
      {},
      ...titles.map((title) => make('th', { scope: 'col', class: numbers.includes(title) ? 'n' : '' }, title)),
    ),
  )
}

/** A canvas to draw on, as fine as the screen. */
export interface Sheet {
  /** Takes lengths as the page does. */
  readonly context: CanvasRenderingContext2D
  /** Its width there. */
  readonly width: number
  /** Its height there. */
  readonly height: number
  /** Points of the screen in one of the page. */
  readonly scale: number
}

/** Clears a canvas and makes it `height` high; without one, as high as it is in the page's text. */
export function sheetOf(canvas: HTMLCanvasElement, height?: number): Sheet {
  const scale = window.devicePixelRatio
  const width = canvas.clientWidth
  const high = height ?? Number(canvas.dataset['height'] ?? canvas.getAttribute('height'))
  canvas.dataset['height'] = String(high)
  canvas.style.height = `${high}px`
  canvas.width = Math.max(1, Math.round(width * scale))
  canvas.height = Math.max(1, Math.round(high * scale))
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.scale(scale, scale)
  return { context, width, height: high, scale }
}
