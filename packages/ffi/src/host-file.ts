// Reads the kernel's own small files, /proc and /sys, by libc's calls. The file functions of Deno and Node are
// guarded by permissions: they ask a person, or refuse. Those permissions protect nothing here, because a program
// that may make foreign calls can read the files anyway.
import type { Address } from '@memlayer/kernel'
import type { Engine } from './engine.js'
import { scratch } from './linux-table.js'

/** The text of a file. Null when it can't be read. */
export type ReadHostFile = (path: string) => string | null

const O_RDONLY = 0
const BUFFER_BYTES = 2 ** 16
/** PATH_MAX, <limits.h>. */
const PATH_BYTES = 4096

/** Returns a reader. It declares libc's calls when the first file is read. */
export function hostFiles(engine: Engine): ReadHostFile {
  let read: ReadHostFile | undefined
  return (path) => {
    read ??= openReader(engine)
    return read(path)
  }
}

function openReader(engine: Engine): ReadHostFile {
  const open = engine.func(null, 'open', 'int', ['address', 'int'])
  const read = engine.func(null, 'read', 'address', ['int', 'address', 'size'])
  const close = engine.func(null, 'close', 'int', ['int'])
  // Memory of libc, which no collector moves. It is kept for the next file.
  const buffer: Address = scratch(engine, PATH_BYTES + BUFFER_BYTES)
  if (buffer === 0) return () => null
  const bytes = new Uint8Array(engine.view(buffer, PATH_BYTES + BUFFER_BYTES))

  return (path) => {
    const { written } = new TextEncoder().encodeInto(`${path}\0`, bytes.subarray(0, PATH_BYTES))
    if (bytes[written - 1] !== 0) return null
    const fd = open(buffer, O_RDONLY)
    if (fd < 0) return null
    const decoder = new TextDecoder()
    let text = ''
    let length = read(fd, buffer + PATH_BYTES, BUFFER_BYTES)
    for (; length > 0; length = read(fd, buffer + PATH_BYTES, BUFFER_BYTES)) {
      text += decoder.decode(bytes.subarray(PATH_BYTES, PATH_BYTES + length), { stream: true })
    }
    void close(fd)
    return length < 0 ? null : text
  }
}
