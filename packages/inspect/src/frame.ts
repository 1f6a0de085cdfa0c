// Reads a place in code from a stack line, and shortens it for narrow columns: the page's table and the terminal.

/** A stack frame without the folders above its file's own folder: `load (src/cache.ts:12:9)`. */
export function shortened(frame: string): string {
  return frame.replace(/(?:file:\/\/)?[^\s()]*[\\/]([^\\/]+[\\/][^\\/]+:\d+:\d+)/, '$1')
}

/** A place in a file. */
export interface Source {
  /** The file's path: `/srv/app/src/cache.ts`. */
  readonly path: string
  /** The line, from 1 on. */
  readonly line: number
  /** The column, from 1 on. */
  readonly column: number
}

/** The place that a stack line names. Null: it names no file, as `node:internal/…` does not. */
export function sourceOf(frame: string): Source | null {
  const [, place = '', line = '', column = ''] =
    /(?:\(|^|\s)((?:file:\/\/|\/|[A-Za-z]:[\\/])[^()]*?):(\d+):(\d+)\)?$/.exec(frame) ?? []
  if (place === '') return null
  const path = place.startsWith('file://') ? pathOf(place) : place
  return path === null ? null : { path, line: Number(line), column: Number(column) }
}

/** The path of an address of a file; null: the address is malformed. */
function pathOf(address: string): string | null {
  try {
    const path = decodeURIComponent(new URL(address).pathname)
    // Windows: `/C:/app`.
    return path.replace(/^\/(?=[A-Za-z]:\/)/, '')
  } catch {
    return null
  }
}
