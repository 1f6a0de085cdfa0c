// Finds and makes elements, and formats text, bytes and colours for all views of the page.
import { write } from './fill.js'

/** The element of the page with this id. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.querySelector<T>(`#${id}`)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

/** Makes an element with children. A text stays text, even if it looks like HTML. */
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

/** Sets a text only when it changes, so that a screen reader hears only changes. */
export function say(id: string, text: string): void {
  const element = byId(id)
  if (element.textContent !== text) write(element, text)
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `12.5 MiB`. */
export function bytes(n: number | null): string {
  if (n === null || !Number.isFinite(n)) return '–'
  let [value, unit] = [Math.abs(n), 0]
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  const isWhole = unit === 0 || Number.isInteger(value)
  const digits = isWhole ? value : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)
  return `${n < 0 ? '−' : ''}${digits} ${units[unit]}`
}

/** `0x7f00…`. */
export const hex = (n: number): string => `0x${n.toString(16)}`

/** Milliseconds from which a figure's age is told. A live page gets a snapshot a second, so it is of an earlier one. */
const ageToldFrom = 500

/** How old a figure is: `, 4 seconds ago`. Empty: it is of this snapshot, or of the one before. */
export function age(at: number, now: number): string {
  if (now - at < ageToldFrom) return ''
  const seconds = Math.max(1, Math.round((now - at) / 1000))
  return `, ${seconds} ${seconds === 1 ? 'second' : 'seconds'} ago`
}

/** `12:03:04`. */
export const clock = (at: number): string => new Date(at).toLocaleTimeString()

/** A colour of style.css by its name. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name)
}

/** Makes a figure with a name. Scripts and tests find the exact number in `data-value`. */
export function figure(name: string, n: number, text: string = bytes(n)): HTMLElement {
  return make(
    'div',
    {},
    make('dt', {}, name),
    make('dd', { 'data-name': name, 'data-value': String(n), title: String(n) }, text),
  )
}

/** Makes a row of titles. The titles in `numbers` are aligned with their figures. */
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

/** A canvas to draw on, in the resolution of the screen. */
export interface Sheet {
  /** The context, which takes lengths in CSS pixels. */
  readonly context: CanvasRenderingContext2D
  /** The width in CSS pixels. */
  readonly width: number
  /** The height in CSS pixels. */
  readonly height: number
  /** Screen pixels per CSS pixel. */
  readonly scale: number
}

/** Clears a canvas and sets its height. Without `height` the canvas keeps the height from the HTML. */
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
