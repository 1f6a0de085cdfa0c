// Elements by their ids, text, bytes and colours: what the page's views share.

/** The element of the page with this id. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.querySelector<T>(`#${id}`)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

/** An element with children: texts stay texts, whatever is in them. */
export function make(tag: string, attributes: Readonly<Record<string, string>>, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `12.5 MiB`. */
export function bytes(n: number): string {
  if (!Number.isFinite(n)) return '–'
  let [value, unit] = [Math.abs(n), 0]
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${n < 0 ? '−' : ''}${value < 10 && unit > 0 ? value.toFixed(2) : value < 100 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** `0x7f00…`. */
export const hex = (n: number): string => `0x${n.toString(16)}`

/** A colour of the style, by its name there. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name)
}

/** A figure with a name; `value` keeps the exact number where scripts and tests find it. */
export function figure(name: string, n: number, text: string = bytes(n)): HTMLElement {
  return make('div', {}, make('dt', {}, name), make('dd', { 'data-name': name, 'data-value': String(n), title: String(n) }, text))
}

/** A canvas's context, as fine as the screen. */
export function fit(canvas: HTMLCanvasElement): { context: CanvasRenderingContext2D; width: number; height: number } {
  const scale = window.devicePixelRatio
  const width = canvas.clientWidth
  const height = Number(canvas.getAttribute('data-height') ?? canvas.getAttribute('height'))
  canvas.dataset['height'] = String(height)
  canvas.style.height = `${height}px`
  canvas.width = Math.max(1, Math.round(width * scale))
  canvas.height = Math.round(height * scale)
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.scale(scale, scale)
  return { context, width, height }
}
