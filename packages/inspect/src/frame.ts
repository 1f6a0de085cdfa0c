// How a place in code is shown where there is little room: the page's table and the terminal.

/** A frame of a stack without the folders above its file's own: `load (src/cache.ts:12:9)`. */
export function shortened(frame: string): string {
  return frame.replace(/(?:file:\/\/)?[^\s()]*[\\/]([^\\/]+[\\/][^\\/]+:\d+:\d+)/, '$1')
}
