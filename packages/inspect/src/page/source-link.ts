// Places in code as links that open an editor, and buttons that copy them.
import { shortened, sourceOf } from '../frame.js'
import { byId, make, say } from './dom.js'
import { onClick } from './fill.js'

/** The addresses that editors open, by their names. */
const editors: Readonly<Record<string, (path: string, line: number, column: number) => string>> = {
  'VS Code': (path, line, column) => `vscode://file${path}:${line}:${column}`,
  VSCodium: (path, line, column) => `vscodium://file${path}:${line}:${column}`,
  Cursor: (path, line, column) => `cursor://file${path}:${line}:${column}`,
  Zed: (path, line, column) => `zed://file${path}:${line}:${column}`,
  JetBrains: (path, line, column) => `idea://open?file=${path}&line=${line}&column=${column}`,
}

/** Offers the editors, and calls `changed` when the user has chosen another one. */
export function onEditor(changed: () => void): void {
  const choice = byId<HTMLSelectElement>('editor')
  choice.replaceChildren(...Object.keys(editors).map((name) => make('option', {}, name)))
  choice.addEventListener('change', changed)
}

/** What a cell shows of a stack line: a link and a button that copies, if it names a file. `key` tells rows apart. */
export function placeNodes(frame: string, key: string): Node[] {
  const source = sourceOf(frame)
  if (source === null) return [document.createTextNode(shortened(frame))]
  const { path, line, column } = source
  const chosen = byId<HTMLSelectElement>('editor').value
  // A path of Windows has no slash in front.
  const encoded = encodeURI(path.replaceAll('\\', '/'))
    .replace(/^(?!\/)/, '/')
    .replaceAll('#', '%23')
    .replaceAll('?', '%3F')
  const href = (editors[chosen] ?? editors['VS Code'])?.(encoded, line, column) ?? ''
  const link = make('a', { href, 'data-key': `open-${key}`, tabindex: '-1' }, shortened(frame))
  const copy = make('button', {
    class: 'copy',
    'data-key': `copy-${key}`,
    tabindex: '-1',
    'aria-label': 'Copy the place',
  })
  onClick(copy, () => void copyText(`${path}:${line}:${column}`))
  return [link, copy]
}

async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say('said', `Copied ${text}`)
  } catch {
    // A page from a disk may not use the clipboard, and a browser may refuse it.
    say('said', `The browser does not let the page copy. The place is ${text}`)
  }
}
