// What bytes can be read from: streams of the web and of Node, bodies, blobs, async iterables, open files. Each
// becomes a Reader. None of them ever gets a view of a region: a stream's reader takes the buffer that it is given.
import { bytesIn } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { show } from '../text.js'
import { drainWhenAnswered, type Request } from './request.js'

/** Where bytes come from. Each is known by what it has, so that those of every host and realm will do. */
export type ByteSource =
  /** A ReadableStream of the web. */
  | { getReader(): object }
  /** A Response or a Request. */
  | { readonly body: object | null; readonly bodyUsed: boolean }
  /** A Blob or a File. */
  | { readonly size: number; stream(): object }
  /** A Readable of Node, or any other source of chunks. */
  | AsyncIterable<ArrayBufferView | ArrayBufferLike>
  /** A FileHandle of Node, read from its own position on. */
  | FileSource

/** An open file: a FileHandle of `node:fs/promises`. */
export interface FileSource {
  /** The file's descriptor. */
  readonly fd: number
  /** Reads at its own position where `position` is null. */
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): PromiseLike<{ readonly bytesRead: number }>
}

/** A source that is being read. */
export interface Reader {
  /** The next bytes, at most `most` where the source can be asked for so many; null: there are no more. */
  next(most: number): PromiseLike<Uint8Array | null>
  /** Ends the source before its end. Waits for nothing and fails never. */
  cancel(): void
  /** The limit is reached. Like `cancel`, but a connection stays open. It gets back what is beyond the limit. */
  stop(rest: Uint8Array | null): void
  /** Lets go of a source that has ended. */
  end(): void
}

interface WebStream {
  getReader(options?: { mode: 'byob' }): WebReader
}
interface WebReader {
  readonly closed: Promise<unknown>
  read(into?: Uint8Array): Promise<{ readonly done: boolean; readonly value?: unknown }>
  cancel(): Promise<unknown>
  releaseLock(): void
}

/** Every kind of source, as far as it can be looked for. */
interface AnySource {
  readonly getReader?: unknown
  readonly body?: unknown
  readonly bodyUsed?: unknown
  readonly size?: unknown
  readonly fd?: unknown
  readonly read?: unknown
  readonly write?: unknown
  readonly complete?: unknown
  readonly readableEnded?: unknown
  readonly statusCode?: unknown
  readonly _transform?: unknown
  stream?(): unknown
  listenerCount?(event: string): number
  destroy?(): unknown
  unshift?(chunk: Uint8Array): void
  iterator?(options: { destroyOnReturn: boolean }): AsyncIterator<unknown>
  [Symbol.asyncIterator]?(): AsyncIterator<unknown>
}

/** A reader asks for so many bytes at once, into a buffer of its own. */
const bufferBytes = 2 ** 18

/** @throws UsageError ERR_MEMLAYER_OPTION for what is not a source, or a stream that another reader has. */
export function readerOf(op: string, given: unknown): Reader {
  const source = (typeof given === 'object' && given !== null ? given : {}) as AnySource
  if (typeof source.getReader === 'function') return webReader(op, given as WebStream)
  if (typeof source.bodyUsed === 'boolean') {
    if (source.bodyUsed) unusable(op, 'the body was used')
    return source.body === null ? nothing : webReader(op, source.body as WebStream)
  }
  if (typeof source.stream === 'function' && typeof source.size === 'number') {
    return webReader(op, source.stream() as WebStream)
  }
  if (typeof source[Symbol.asyncIterator] === 'function') return iteratorReader(op, source, given as Request)
  if (typeof source.fd === 'number' && typeof source.read === 'function') return fileReader(given as FileSource)
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the source is ${show(given)}`, {
    op,
    hint:
      'Pass a ReadableStream, a Response, a Blob, a Readable of Node, an async iterable of bytes, or a FileHandle. ' +
      'Copy bytes that are there with write(offset, bytes).',
  })
}

function unusable(op: string, what: string, cause?: unknown): never {
  const hint = 'Pass a stream or a body that nothing else reads or has read.'
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: ${what}`, { op, hint, cause })
}

const nothing: Reader = {
  next: () => Promise.resolve(null),
  cancel: () => {
    // A body without bytes has nothing to end.
  },
  stop: () => {
    // A body without bytes has nothing to end.
  },
  end: () => {
    // It has nothing to let go of.
  },
}

function webReader(op: string, stream: WebStream): Reader {
  const byob = byobReader(stream)
  if (byob !== null) return byob
  let reader: WebReader
  try {
    reader = stream.getReader()
  } catch (cause) {
    return unusable(op, 'another reader has the stream', cause)
  }
  return {
    next: async () => {
      const { done, value } = await reader.read()
      return done ? null : bytesOfChunk(value)
    },
    cancel: () => ignored(reader.cancel()),
    stop: () => ignored(reader.cancel()),
    end: () => reader.releaseLock(),
  }
}

/** Reads into a buffer of its own, which goes to the stream and comes back. Null: it is not a stream of bytes. */
function byobReader(stream: WebStream): Reader | null {
  let reader: WebReader
  try {
    reader = stream.getReader({ mode: 'byob' })
  } catch {
    return null
  }
  const untilEnd = endOf(reader)
  let buffer = new ArrayBuffer(bufferBytes)
  return {
    next: async (most) => {
      if (buffer.byteLength === 0) buffer = new ArrayBuffer(bufferBytes)
      const n = Math.min(Math.max(most, 1), buffer.byteLength)
      const { done, value } = await untilEnd(reader.read(new Uint8Array(buffer, 0, n)))
      if (done) return null
      const bytes = bytesOfChunk(value)
      buffer = bytes.buffer as ArrayBuffer
      return bytes
    },
    cancel: () => ignored(reader.cancel()),
    stop: () => ignored(reader.cancel()),
    end: () => reader.releaseLock(),
  }
}

/**
 * Waits for a read, or for the end of the stream where that comes first. A source that closes while a read has its
 * buffer has to give the buffer back. Many do not, because other readers do not need it, and then the read never ends.
 */
function endOf(reader: WebReader): (reading: ReturnType<WebReader['read']>) => ReturnType<WebReader['read']> {
  let end: (() => void) | null = null
  // A read that ended at the same time comes first.
  ignored(
    reader.closed
      .then(later)
      .then(later)
      .then(() => end?.()),
  )
  return (reading) =>
    new Promise((resolve, reject) => {
      end = () => resolve({ done: true })
      reading.then(resolve, reject)
    })
}
const later = (): Promise<void> => Promise.resolve()

/**
 * A request that Node's `http` serves, or a socket: to destroy it is to end the connection, also for the answer. What
 * only transforms bytes has no connection, and an answer of a server needs none.
 */
const isConnection = ({ write, complete, statusCode, _transform }: AnySource): boolean =>
  (typeof write === 'function' && typeof _transform !== 'function') ||
  (typeof complete === 'boolean' && typeof statusCode !== 'number')

function iteratorReader(op: string, source: AnySource, given: Request): Reader {
  // Two iterators of a stream of Node would share its chunks, without an error.
  if (source.readableEnded === false && typeof source.listenerCount === 'function') {
    if (source.listenerCount('readable') > 0) unusable(op, 'another reader has the stream')
  }
  const isKept = isConnection(source) && typeof source.iterator === 'function'
  const iterator = (
    isKept ? source.iterator?.({ destroyOnReturn: false }) : source[Symbol.asyncIterator]?.()
  ) as AsyncIterator<unknown>
  const cancel = (): void => {
    // An iterator over a Node stream waits for the next chunk before it ends. The stream itself ends at once.
    if (typeof source.destroy === 'function') ended(() => source.destroy?.())
    ended(() => iterator.return?.())
  }
  return {
    next: async () => {
      const step = await iterator.next()
      return step.done === true ? null : bytesOfChunk(step.value)
    },
    cancel,
    stop: (rest) => {
      if (!isKept) return cancel()
      ended(() => iterator.return?.())
      if (rest !== null) source.unshift?.(rest)
      if (typeof source.complete === 'boolean') drainWhenAnswered(given)
    },
    end: () => {
      // It has ended by itself.
    },
  }
}

function fileReader(file: FileSource): Reader {
  const buffer = new Uint8Array(bufferBytes)
  return {
    next: async (most) => {
      const { bytesRead } = await file.read(buffer, 0, Math.min(Math.max(most, 1), bufferBytes), null)
      return bytesRead === 0 ? null : buffer.subarray(0, bytesRead)
    },
    cancel: () => {
      // The file is its opener's.
    },
    stop: () => {
      // The file is its opener's.
    },
    end: () => {
      // The file is its opener's.
    },
  }
}

/** Ends a source, which may be the program's own code. */
function ended(end: () => unknown): void {
  try {
    ignored(end())
  } catch {
    // The caller knows why it ends.
  }
}

/** The source ends, and the caller knows why. What it says of that is of no use. */
function ignored(ending: unknown): void {
  void Promise.resolve(ending).catch(() => undefined)
}

/** @throws UsageError ERR_MEMLAYER_VIEW for a chunk that has no bytes. */
function bytesOfChunk(chunk: unknown): Uint8Array {
  if (ArrayBuffer.isView(chunk)) return bytesIn(chunk)
  const kind = Object.prototype.toString.call(chunk)
  if (kind === '[object ArrayBuffer]' || kind === '[object SharedArrayBuffer]') {
    return new Uint8Array(chunk as ArrayBuffer)
  }
  throw new UsageError('ERR_MEMLAYER_VIEW', `readFrom: a chunk of the source is ${show(chunk)}`, {
    op: 'readFrom',
    hint: 'Pass a source of bytes. Set no encoding on a stream of Node.',
  })
}
