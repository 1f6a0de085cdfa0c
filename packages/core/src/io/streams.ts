// A range as a stream of bytes, for the web and for Node. A stream gives copies, because its consumer may keep a chunk
// for as long as it likes. The pages are held until the last copy is made, or the stream is cancelled.
import { bytesIn } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { checkOptions } from '../options.js'
import { show } from '../text.js'

/** How a range is streamed. */
export interface StreamOptions {
  /** The most bytes of a chunk. Default 64 KiB. */
  readonly chunk?: number | undefined
}

/** A ReadableStream of the web, as the program's own types have it. */
export type WebReadable = typeof globalThis extends { ReadableStream: { prototype: infer S } } ? S : object

/** A Readable of Node, as the program's own types have it. */
export type NodeReadable = typeof globalThis extends {
  process: { stdin: { take(limit: number): infer R } }
}
  ? R
  : object

/** Where the bytes come from. */
export interface Origin {
  /** The region's name. */
  readonly name: string
  /** Keeps the range Ready. The function returned lets it go. */
  readonly hold: (offset: number, length: number) => () => void
  /** Copies bytes from an offset. */
  readonly read: (offset: number, target: Uint8Array) => void
}

interface ByteController {
  readonly byobRequest: { readonly view: ArrayBufferView | null; respond(bytes: number): void } | null
  enqueue(bytes: Uint8Array): void
  close(): void
}

interface NodeStream {
  push(bytes: Uint8Array | null): boolean
}

interface Host {
  readonly ReadableStream?: new (source: object) => WebReadable
  readonly process?: { getBuiltinModule?(id: string): { readonly Readable?: new (options: object) => NodeReadable } }
}

const host = globalThis as Host

const chunkBytes = 2 ** 16

/** A web stream of [offset, offset+length). */
export function streamOf(origin: Origin, offset: number, length: number, options: StreamOptions): WebReadable {
  const { ReadableStream } = host
  if (ReadableStream === undefined) notHere('stream', 'web streams')
  const copies = copiesOf('stream', origin, offset, length, options)
  return new ReadableStream({
    type: 'bytes',
    start: (controller: ByteController): void => {
      if (copies.left === 0) controller.close()
    },
    pull: (controller: ByteController): void => {
      const { byobRequest } = controller
      const into = byobRequest?.view ?? null
      if (byobRequest !== null && into !== null) byobRequest.respond(copies.into(bytesIn(into)))
      else controller.enqueue(copies.next())
      if (copies.left > 0) return
      controller.close()
      // A reader that asked for more than there is waits for its buffer.
      controller.byobRequest?.respond(0)
    },
    cancel: (): void => copies.end(),
  })
}

/** A Node stream of [offset, offset+length). */
export function readableOf(origin: Origin, offset: number, length: number, options: StreamOptions): NodeReadable {
  const Readable = host.process?.getBuiltinModule?.('node:stream')?.Readable
  if (Readable === undefined) notHere('toReadable', "Node's streams")
  const copies = copiesOf('toReadable', origin, offset, length, options)
  return new Readable({
    highWaterMark: copies.chunk,
    read(this: NodeStream): void {
      if (copies.left > 0) this.push(copies.next())
      // The pages go as soon as all of it was copied.
      if (copies.left === 0) this.push(null)
    },
    destroy(error: unknown, done: (error: unknown) => void): void {
      copies.end()
      done(error)
    },
  })
}

/** What is left to copy of a range. Its pages are held until nothing is. */
interface Copies {
  readonly left: number
  readonly chunk: number
  /** Copies as much as fits into `target`. Returns the number of bytes. */
  into(target: Uint8Array): number
  /** A copy of the next chunk. */
  next(): Uint8Array
  /** Lets the pages go. */
  end(): void
}

function copiesOf(op: string, origin: Origin, offset: number, length: number, options: StreamOptions): Copies {
  const { chunk = chunkBytes } = checkOptions(op, options, ['chunk'])
  if (!(Number.isSafeInteger(chunk) && chunk > 0)) {
    const hint = 'Pass a number of bytes, 1 or more, or leave it out.'
    throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the chunk is ${show(chunk)}`, { op, region: origin.name, hint })
  }
  const release = origin.hold(offset, length)
  const end = offset + length
  let at = offset
  const into = (target: Uint8Array): number => {
    const n = Math.min(target.byteLength, end - at)
    origin.read(at, target.subarray(0, n))
    at += n
    if (at === end) release()
    return n
  }
  if (length === 0) release()
  return {
    get left(): number {
      return end - at
    },
    chunk,
    into,
    next: () => {
      const bytes = new Uint8Array(Math.min(chunk, end - at))
      into(bytes)
      return bytes
    },
    end: release,
  }
}

function notHere(op: string, what: string): never {
  const message = `${op}: this host has no ${what}`
  throw new UsageError('ERR_MEMLAYER_OPTION', message, { op, hint: 'Lend a view of the pages: region.lend().' })
}
