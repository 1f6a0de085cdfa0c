// Positioned reads and writes of a file, straight into pages and out of them, several at a time. The file is a
// FileHandle of Node, Bun or Deno. Its calls work by address on threads of the host, so the pages are held until the
// last call has ended, also after an abort or an error.
import { isAligned } from '@memlayer/kernel'
import type { Lender, Lent } from '../borrows/lend.js'
import { UsageError } from '../errors.js'
import { checkOptions } from '../options.js'
import { show } from '../text.js'
import { Interrupt, type SignalLike } from './interrupt.js'
import { TransferError } from './transfer-error.js'

/** A file that is open for positioned reads: a FileHandle of `node:fs/promises`. */
export interface ReadableFile {
  /** Reads at `position`, and returns how many bytes. 0: the end of the file. */
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): PromiseLike<{ readonly bytesRead: number }>
}

/** A file that is open for positioned writes: a FileHandle of `node:fs/promises`. */
export interface WritableFile {
  /** Writes at `position`, and returns how many bytes. */
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): PromiseLike<{ readonly bytesWritten: number }>
}

/** How a file is read or written. */
export interface FileOptions {
  /** Ends it, when the calls that are under way have ended. */
  readonly signal?: SignalLike | undefined
  /** Is told after each call how many bytes were transferred, in all. */
  readonly progress?: ((bytes: number) => void) | undefined
  /** The most bytes of one call. Default 1 MiB. */
  readonly chunk?: number | undefined
  /** How many calls are under way at once. Default 4, the threads that Node has for files. */
  readonly concurrency?: number | undefined
  /**
   * Whether the file was opened with O_DIRECT, past the system's cache. Then position, offset and length are multiples
   * of 4096, and a read that ends within a block is the file's end. Default false.
   */
  readonly direct?: boolean | undefined
}

/** Where the bytes are. */
export interface FilePages {
  readonly name: string
  /** Lends the view that a call works on. */
  readonly lender: Lender
  /** Whether a view lasts as long as its pages do. In a WebAssembly memory it ends when the memory grows. */
  readonly viewsLast: boolean
  /** Keeps the range Ready. The function returned lets it go. */
  readonly hold: (offset: number, length: number) => () => void
  /** Throws when the pages are gone all the same, with the buffer that had them. */
  readonly expectThere: () => void
  readonly read: (offset: number, target: Uint8Array) => void
  readonly write: (offset: number, bytes: Uint8Array) => void
}

/** One positioned call. Returns the number of bytes. */
type Call = (buffer: Uint8Array, position: number) => PromiseLike<number>

/** What O_DIRECT wants everything to be a multiple of. Every disk's block divides it. */
const blockBytes = 4096
const chunkBytes = 2 ** 20

const ABORTED = 'the signal aborted'

/** Reads [position, position+length) of a file. Returns the bytes up to its end. */
export async function readFile(
  pages: FilePages,
  file: ReadableFile,
  position: number,
  offset: number,
  length: number,
  options: FileOptions,
): Promise<number> {
  expectMethod('readFile', pages, file, 'read')
  const call: Call = async (buffer, at) => (await file.read(buffer, 0, buffer.byteLength, at)).bytesRead
  return transfer({ op: 'readFile', pages, position, offset, length, call, isRead: true }, options)
}

/** Writes a range at `position` of a file. */
export async function writeFile(
  pages: FilePages,
  file: WritableFile,
  position: number,
  offset: number,
  length: number,
  options: FileOptions,
): Promise<number> {
  expectMethod('writeFile', pages, file, 'write')
  const call: Call = async (buffer, at) => (await file.write(buffer, 0, buffer.byteLength, at)).bytesWritten
  return transfer({ op: 'writeFile', pages, position, offset, length, call, isRead: false }, options)
}

/** What a transfer is about. */
interface Job {
  readonly op: string
  readonly pages: FilePages
  readonly position: number
  readonly offset: number
  readonly length: number
  readonly call: Call
  readonly isRead: boolean
}

/** A transfer that is under way. */
interface Run extends Job {
  readonly chunk: number
  readonly direct: boolean
  readonly progress: ((bytes: number) => void) | undefined
  readonly interrupt: Interrupt
  /** Bytes by chunk. */
  readonly moved: number[]
  /** Where the next chunk begins. */
  next: number
  /** Bytes of all chunks. */
  total: number
  /** What ended it. */
  failure: { readonly error: unknown } | null
  /** Whether the signal ended it within a chunk. */
  isCut: boolean
}

async function transfer(job: Job, options: FileOptions): Promise<number> {
  const { op, pages, offset, length } = job
  const read = checkOptions(op, options, ['signal', 'progress', 'chunk', 'concurrency', 'direct'])
  const { signal, progress, chunk = chunkBytes, concurrency = 4, direct = false } = read
  expectOptions(job, { progress, chunk, concurrency, direct })
  const release = pages.hold(offset, length)
  let interrupt: Interrupt | null = null
  try {
    interrupt = new Interrupt(op, signal)
    const run: Run = {
      ...job,
      chunk,
      direct,
      progress,
      interrupt,
      moved: [],
      next: 0,
      total: 0,
      failure: null,
      isCut: false,
    }
    await Promise.all(Array.from({ length: concurrency }, () => work(run)))
    const bytes = bytesFrom(run)
    if (run.failure?.error instanceof OfPages) throw run.failure.error.error
    if (run.failure !== null) throw failed(run, bytes, 'the file failed', run.failure.error)
    if (run.isCut || (interrupt.isAborted && run.next < length)) throw failed(run, bytes, ABORTED, signal?.reason)
    return bytes
  } finally {
    interrupt?.end()
    release()
  }
}

/** Takes one chunk after the other. Several of these run at once. It does not throw. */
async function work(run: Run): Promise<void> {
  while (run.next < run.length && run.failure === null && !run.interrupt.isAborted) {
    const at = run.next
    const n = Math.min(run.chunk, run.length - at)
    run.next += n
    run.moved[at / run.chunk] = 0
    try {
      await moveChunk(run, at, n)
    } catch (error) {
      run.failure ??= { error }
    }
  }
}

/** A call may move less than it was asked for. */
async function moveChunk(run: Run, at: number, n: number): Promise<void> {
  for (let done = 0; done < n;) {
    const count = await one(run, at + done, n - done)
    if (!(Number.isSafeInteger(count) && count >= 0 && count <= n - done)) {
      throw new RangeError(`the file moved ${show(count)} of ${n - done} bytes`)
    }
    done += count
    run.moved[at / run.chunk] = done
    run.total += count
    if (count > 0) run.progress?.(run.total)
    if (run.isRead && (count === 0 || (run.direct && done % blockBytes !== 0))) {
      // The end of the file. Chunks beyond it are not asked for.
      run.next = run.length
      return
    }
    if (count === 0) throw new RangeError('the file takes no more bytes')
    if (done === n || (run.failure === null && !run.interrupt.isAborted)) continue
    run.isCut = true
    return
  }
}

/** What the layer threw about its own pages. The file has no part in it. */
class OfPages {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

function ofPages<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new OfPages(error)
  }
}

/** One call of the file, on the pages themselves where their views last. */
async function one({ pages, call, offset, position, isRead }: Run, at: number, n: number): Promise<number> {
  if (!pages.viewsLast) {
    const copy = new Uint8Array(n)
    if (!isRead) ofPages(() => pages.read(offset + at, copy))
    const count = await call(copy, position + at)
    if (isRead) ofPages(() => pages.write(offset + at, copy.subarray(0, count)))
    return count
  }
  const lent: Lent<Uint8Array<ArrayBuffer>> = ofPages(() => pages.lender.lendOne(Uint8Array, offset + at, n))
  try {
    const count = await call(lent.view, position + at)
    ofPages(pages.expectThere)
    lent.end()
    return count
  } finally {
    lent.release()
  }
}

/** The bytes from the start on of which none is missing. */
function bytesFrom({ moved, chunk }: Run): number {
  const whole = moved.findIndex((n) => n < chunk)
  return whole < 0 ? moved.length * chunk : whole * chunk + (moved[whole] as number)
}

function failed({ op, pages, offset }: Run, bytes: number, what: string, cause: unknown): TransferError {
  return new TransferError({ op, region: pages.name, offset, bytes, what, isAbort: what === ABORTED, cause })
}

function expectMethod(op: string, { name }: FilePages, file: unknown, method: 'read' | 'write'): void {
  const isObject = typeof file === 'object' && file !== null
  if (isObject && typeof (file as Record<string, unknown>)[method] === 'function') return
  const hint = "Pass a FileHandle, as open() of 'node:fs/promises' returns it."
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the file is ${show(file)}`, { op, region: name, hint })
}

type Given = Pick<FileOptions, 'progress' | 'chunk' | 'concurrency' | 'direct'>

/** @throws UsageError before any effect. */
function expectOptions({ op, pages, position, offset, length }: Job, given: Given): void {
  const wrong = (what: string, value: unknown, hint: string): never => {
    const message = `${op}: the ${what} is ${show(value)}`
    throw new UsageError('ERR_MEMLAYER_OPTION', message, { op, region: pages.name, hint })
  }
  const { progress, chunk, concurrency, direct } = given
  if (!isCount(position, 0)) wrong('position', position, 'Pass a place in the file in bytes, 0 or more.')
  if (!isCount(chunk, 1)) wrong('chunk', chunk, 'Pass a number of bytes, 1 or more, or leave it out.')
  if (!isCount(concurrency, 1)) wrong('concurrency', concurrency, 'Pass a number of calls, 1 or more, or leave it out.')
  if (progress !== undefined && typeof progress !== 'function')
    wrong('progress', progress, 'Pass a function, or leave it out.')
  if (typeof direct !== 'boolean') wrong('option direct', direct, 'Pass true or false.')
  if (direct !== true) return
  const unaligned = Object.entries({ position, offset, length, chunk }).find(
    ([, value]) => !(typeof value === 'number' && isAligned(value, blockBytes)),
  )
  if (unaligned === undefined) return
  const message = `${op}: the ${unaligned[0]} is ${show(unaligned[1])}, not a multiple of ${blockBytes}`
  const hint = 'Pass whole blocks, because O_DIRECT moves no parts. Truncate the file after the last write.'
  throw new UsageError('ERR_MEMLAYER_ALIGNMENT', message, { op, region: pages.name, hint })
}

function isCount(value: unknown, least: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
}
