// Gives an element new content and keeps every node that stays. A selection and the focus live in nodes, so they stay
// through a live redraw.

/** What a click on an element does. A node that stays gets the action of the one that it stands for. */
const clicks = new WeakMap<Element, () => void>()

/** Calls `act` when this element is clicked, or pressed by keyboard. */
export function onClick(element: Element, act: () => void): void {
  if (!isListening) document.addEventListener('click', clicked)
  isListening = true
  clicks.set(element, act)
}

let isListening = false

function clicked({ target }: Event): void {
  for (let element = target as Element | null; element !== null; element = element.parentElement) {
    const act = clicks.get(element)
    if (act !== undefined) return act()
  }
}

/** Replaces the children of `parent`. Elements with a `data-row` are told apart by it, others by their place. */
export function fill(parent: Element, ...made: readonly Node[]): void {
  const wanted = new Set(made.map(keyOf))
  const known = new Map<string, Element>()
  for (const child of Array.from(parent.children)) {
    const key = keyOf(child)
    if (key === null) continue
    if (wanted.has(key)) known.set(key, child)
    else child.remove()
  }
  let at: Node | null = parent.firstChild
  for (const one of made) {
    const key = keyOf(one)
    const stays = key === null ? (isAlike(at, one) ? at : null) : (known.get(key) ?? null)
    if (stays === null) parent.insertBefore(one, at)
    else {
      if (stays === at) at = at.nextSibling
      else parent.insertBefore(stays, at)
      patch(stays, one)
    }
  }
  while (at !== null) {
    const next: Node | null = at.nextSibling
    parent.removeChild(at)
    at = next
  }
}

/** Sets the text of an element that has nothing but text. */
export function write(element: Element, text: string): void {
  const only = element.firstChild
  if (only instanceof Text && only.nextSibling === null) {
    if (only.data !== text) only.data = text
  } else element.replaceChildren(text)
}

const keyOf = (node: Node): string | null => (node instanceof Element ? node.getAttribute('data-row') : null)

function isAlike(at: Node | null, one: Node): boolean {
  return at !== null && at.nodeName === one.nodeName && keyOf(at) === null
}

function patch(known: Node, made: Node): void {
  if (known instanceof Text && made instanceof Text) {
    if (known.data !== made.data) known.data = made.data
    return
  }
  if (!(known instanceof Element && made instanceof Element)) return
  patchAttributes(known, made)
  const act = clicks.get(made)
  if (act === undefined) clicks.delete(known)
  else clicks.set(known, act)
  fill(known, ...Array.from(made.childNodes))
}

function patchAttributes(known: Element, made: Element): void {
  for (const { name } of Array.from(known.attributes)) if (!made.hasAttribute(name)) known.removeAttribute(name)
  for (const { name, value } of Array.from(made.attributes))
    if (name !== 'style' && known.getAttribute(name) !== value) known.setAttribute(name, value)
  // The page's policy forbids the attribute, and allows this.
  if (known instanceof HTMLElement && made instanceof HTMLElement && known.style.cssText !== made.style.cssText)
    known.style.cssText = made.style.cssText
}
