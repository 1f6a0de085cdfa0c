// Errors of a wrong call. Nothing has happened then. What a value is, is looked at here and not on the way there.
import { FatalError, UsageError, type Memory } from '@memlayer/core'
import { pageBytes } from './size-classes.js'

/** How a message writes an argument. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** @throws UsageError unless it is a memory. */
export function expectMemory(op: string, memory: Memory): void {
  const isObject = typeof memory === 'object' && memory !== null
  if (isObject && typeof memory.reserve === 'function' && typeof memory.os === 'object') return
  const then = op === 'createHeap' ? 'the options: createHeap(memory, { maximum })' : 'the token that was posted'
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the memory is ${show(memory)}`, {
    op,
    hint: `Pass a memory, then ${then}.`,
  })
}

/** @throws UsageError, because the heap was destroyed. */
export function destroyed(op: string, name: string): never {
  throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the heap '${name}' was destroyed`, {
    op,
    region: name,
    hint: 'Create a heap, or call destroy() after its last use.',
  })
}

/** @throws UsageError unless `bytes` is the size of an object, in a heap of `maximum` bytes. */
export function expectSize(op: string, name: string, bytes: number, maximum: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > maximum) wrongSize(op, name, bytes, maximum)
}

function wrongSize(op: string, name: string, bytes: unknown, maximum: number): never {
  const isLarge = typeof bytes === 'number' && bytes > maximum
  const what = isLarge ? `${bytes} bytes are more than its maximum, ${maximum}` : `the size is ${show(bytes)}`
  const hint = isLarge
    ? 'Create the heap with a larger `maximum`.'
    : `Pass a whole number of bytes, from 0 to the heap's maximum, ${maximum}.`
  throw new UsageError('ERR_MEMLAYER_SIZE', `${op} of the heap '${name}': ${what}`, { op, region: name, hint })
}

/** @throws UsageError unless `align` is an alignment that a heap has. */
export function expectAlignment(op: string, name: string, align: number): void {
  if (Number.isInteger(align) && align >= 1 && align <= pageBytes && (align & (align - 1)) === 0) return
  throw new UsageError('ERR_MEMLAYER_ALIGNMENT', `${op} of the heap '${name}': the alignment is ${show(align)}`, {
    op,
    region: name,
    hint: `Pass a power of two, up to ${pageBytes} bytes.`,
  })
}

/** @throws UsageError, because an object that begins at `handle` is free already. */
export function freeAlready(op: string, name: string, handle: number, freed: string): never {
  throw new UsageError('ERR_MEMLAYER_STATE', `${op}(${handle}) of the heap '${name}': the object is free already`, {
    op,
    region: name,
    hint: `Free each object once, and forget its handle then.${at('It was freed here:', freed)}`,
  })
}

/** @throws UsageError, because no object begins at `handle`. */
export function notAnObject(op: string, name: string, handle: unknown): never {
  throw new UsageError(
    'ERR_MEMLAYER_NOT_OWNED',
    `${op}(${show(handle)}) of the heap '${name}': no object begins there`,
    { op, region: name, hint: 'Pass a handle that alloc of this heap returned, and that was not freed since.' },
  )
}

/** @throws UsageError, because `mark` is not open. */
export function notOpen(name: string, mark: unknown): never {
  throw new UsageError('ERR_MEMLAYER_STATE', `release(${show(mark)}) of the heap '${name}': this mark is not open`, {
    op: 'release',
    region: name,
    hint: 'Pass what mark() returned, once. Releasing a mark also releases the marks made after it.',
  })
}

/** The most bytes of a heap. Offsets in units of 8 bytes are 30 bits then: a small integer in every engine. */
const maximumMax = 2 ** 33

/** @throws UsageError unless `maximum` is the size of a heap. */
export function expectMaximum(maximum: number): void {
  if (Number.isSafeInteger(maximum) && maximum >= 2 * pageBytes && maximum <= maximumMax) return
  throw new UsageError('ERR_MEMLAYER_SIZE', `createHeap: the maximum is ${show(maximum)}`, {
    op: 'createHeap',
    hint: `Pass a whole number of bytes, from ${2 * pageBytes} to ${maximumMax}.`,
  })
}

/** @throws UsageError, because too many marks are open. */
export function tooDeep(name: string, most: number): never {
  throw new UsageError('ERR_MEMLAYER_STATE', `mark of the heap '${name}': ${most} marks are open`, {
    op: 'mark',
    region: name,
    hint: 'Release marks, each after its last use.',
  })
}

/** @throws UsageError, because the bytes behind an object were written to. */
export function overrun(op: string, name: string, handle: number, bytes: number, offset: number, made: string): never {
  const what = `the object of ${bytes} bytes was written to past its end, at its offset ${offset}`
  throw new UsageError('ERR_MEMLAYER_STATE', `${op}(${handle}) of the heap '${name}': ${what}`, {
    op,
    region: name,
    hint: `Allocate as many bytes as are written.${at('It was allocated here:', made)}`,
  })
}

/** @throws UsageError, because an object was written to after it was freed. */
export function writtenAfterFree(name: string, handle: number, offset: number, freed: string): never {
  const what = `it was written to after it was freed, at its offset ${offset}`
  throw new UsageError('ERR_MEMLAYER_STATE', `the object ${handle} of the heap '${name}': ${what}`, {
    op: 'free',
    region: name,
    hint: `Forget the handle of an object that is freed.${at('It was freed here:', freed)}`,
  })
}

/** @throws UsageError, because an option is wrong. */
export function wrongOption(option: string, value: unknown, allowed: string): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `createHeap: the option ${option} is ${show(value)}`, {
    op: 'createHeap',
    hint: `Pass ${allowed}.`,
  })
}

/** @throws UsageError, because threads do not share memory here. */
export function notShareable(os: string): never {
  throw new UsageError('ERR_MEMLAYER_SHARED', `createHeap: threads do not share addresses on ${os}`, {
    op: 'createHeap',
    hint: 'Create a heap without `threads`, one in each thread, and post copies of the bytes.',
  })
}

/** @throws UsageError, because another thread created the heap. */
export function notCreator(name: string): never {
  throw new UsageError('ERR_MEMLAYER_SHARED', `share: another thread created the heap '${name}'`, {
    op: 'share',
    region: name,
    hint: 'Share a heap with further workers in the thread that created it.',
  })
}

/** @throws UsageError, because the heap belongs to one thread. */
export function notShared(name: string): never {
  throw new UsageError('ERR_MEMLAYER_SHARED', `share: the heap '${name}' belongs to one thread`, {
    op: 'share',
    region: name,
    hint: 'Create it with createHeap(memory, { threads: true }).',
  })
}

/** @throws UsageError, because as many threads as it may have been given the heap. */
export function tooManyThreads(name: string, most: number): never {
  const owners = most === 1 ? 'thread has' : 'threads have'
  const message = `share: ${most} ${owners} the heap '${name}', or a token that was not attached`
  throw new UsageError('ERR_MEMLAYER_SHARED', message, {
    op: 'share',
    region: name,
    hint: 'Destroy the heap in workers that are done with it, or create it with more `threads`.',
  })
}

/** @throws UsageError, because other threads have the heap. `cause`: what its region says. */
export function inUse(name: string, cause: UsageError): never {
  const { holds } = cause
  throw new UsageError('ERR_MEMLAYER_SHARED', `destroy: other threads have the heap '${name}'`, {
    op: 'destroy',
    region: name,
    hint: 'Call destroy() of the heap in each of them, or end them. Then destroy it here.',
    cause,
    ...(holds === undefined ? {} : { holds }),
  })
}

/** @throws UsageError, because a heap could not be attached. `cause`: what its region says. */
export function notAttached(cause: UsageError): never {
  const { message, hint = '' } = cause
  const reason = message.slice(message.indexOf(' ') + 1, hint === '' ? undefined : message.lastIndexOf(`. ${hint}`))
  throw new UsageError('ERR_MEMLAYER_SHARED', `attachHeap: ${reason}`, {
    op: 'attachHeap',
    hint: 'Have the creator of a heap that is not destroyed call heap.share(worker), and post that to this worker.',
    cause,
  })
}

/** @throws FatalError, because the words of a heap do not fit together. */
export function broken(op: string, name: string, cause: unknown): never {
  throw new FatalError(`${op}: the heap '${name}' is broken`, {
    op,
    region: name,
    hint: 'Write to objects by the typed arrays of the heap. Their `buffer` has its own words as well.',
    cause,
  })
}

/** @throws UsageError, because a token is not one of a heap, or is not valid any more. */
export function wrongToken(token: unknown, what: string): never {
  throw new UsageError('ERR_MEMLAYER_SHARED', `attachHeap: ${show(token)} ${what}`, {
    op: 'attachHeap',
    hint: 'Pass what heap.share(worker) returned, as it arrived by postMessage, once.',
  })
}

function at(what: string, place: string): string {
  return place === '' ? '' : ` ${what}\n${place}`
}
