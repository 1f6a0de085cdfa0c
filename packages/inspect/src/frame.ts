// Shortens a place in code for narrow columns: the page's table and the terminal.

/** A stack frame without the folders above its file's own folder: `load (src/cache.ts:12:9)`. */
export function shortened(frame: string): string {
  return frame.replace(/(?:file:\/\/)?[^\s()]*[\\/]([^\\/]+[\\/][^\\/]+:\d+:\d+)/, '$1')
}
