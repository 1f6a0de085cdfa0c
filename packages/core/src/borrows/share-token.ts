// The token of a share, and the word of shared memory that decides between its two sides, so that neither side can
// be too late. The owner offers and revokes; the worker takes up and gives up.
import { sharedLength, type Address, type ProcessTable } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { borrow, type Borrowing } from '../process/borrowings.js'
import { isInUse, type ProcessRecord } from '../process/record.js'
import { show } from '../text.js'
import { threadId, UNKNOWN_THREAD } from './worker.js'

// The word's values. OFFERED becomes TAKEN or REVOKED, and TAKEN becomes RELEASED. An offer that was revoked in vain
// becomes OFFERED again.
export const OFFERED = 0
export const TAKEN = 1
export const RELEASED = 2
export const REVOKED = 3

// The buffer that is posted: six words of 32 bits, of which the last is spare, then four doubles: magic, address, size,
// and where in memory of the engine the range begins.
const bufferBytes = 56
const wordCount = 5
/** The place of the state among the words. */
export const STATE = 0
/** What the engine calls the thread that it is for. */
const THREAD = 1
/** The owner's record in the process's table, plus one, and its use. 0: there is no table. */
const OWNER = 2
const OWNER_USE = 3
/** The kernel's number of the thread that took it up; 0: not known. */
export const TAKER = 4
/** Marks a buffer as a share's. A program does not have this number there by chance. */
const magic = 0x6d6c_6179_6573

/** What is posted to the worker: `worker.postMessage(region.share(worker))`. */
export interface ShareToken {
  /** What it is. */
  readonly memlayer: 'share'
  /** The backend whose memory it is. */
  readonly os: string
  /** What the owner calls the region. */
  readonly name: string
  /** Where the pages begin. It is for people: `attach` reads it from `hold`, where no message can change it. */
  readonly address: Address
  /** Their bytes. It is for people too. */
  readonly size: number
  /** What both sides agree through. */
  readonly hold: SharedArrayBuffer
  /** Where the memory is the engine's: the buffer that has the bytes. It is more than the share. */
  readonly buffer?: SharedArrayBuffer
}

/** Memory of the engine: what a thread gets in place of an address. */
export interface EngineBytes {
  readonly buffer: SharedArrayBuffer
  /** Where in it a range begins. */
  readonly byteOffset: number
}

/** A new offer of [v, v+n) to a thread: the token to post, and the words that the owner keeps. */
export function makeToken(
  os: string,
  name: string,
  v: Address,
  n: number,
  thread: number | undefined,
  owner: ProcessRecord | null,
  bytes: EngineBytes | null = null,
): { readonly token: ShareToken; readonly words: Int32Array } {
  const hold = new SharedArrayBuffer(bufferBytes)
  const words = new Int32Array(hold, 0, wordCount)
  words[THREAD] = thread ?? UNKNOWN_THREAD
  if (owner !== null) [words[OWNER], words[OWNER_USE]] = [owner.at + 1, owner.use]
  new Float64Array(hold, 24).set([magic, v, n, bytes?.byteOffset ?? 0])
  const token = { memlayer: 'share' as const, os, name, address: v, size: n, hold }
  return { token: bytes === null ? token : { ...token, buffer: bytes.buffer }, words }
}

/** What a worker is offered. */
export interface Offered {
  readonly name: string
  readonly address: Address
  readonly size: number
  /** Where the memory is the engine's. */
  readonly bytes: EngineBytes | null
  /** Takes it up. @throws UsageError ERR_MEMLAYER_SHARED when it is taken up or revoked. */
  readonly take: () => void
  /** Gives it up again. Before it was taken, and a second time, this does nothing. */
  readonly giveUp: () => void
}

/**
 * The worker's side: looks at an offer. The pages are those that the token's buffer names, because a message can
 * change the other fields. JavaScript can't tell a buffer that was forged as a whole.
 *
 * @throws UsageError ERR_MEMLAYER_SHARED when it is not an offer, or is another thread's.
 */
export function readOffer(token: ShareToken, os: string, table: ProcessTable | null): Offered {
  const { memlayer, hold: given, os: its, name: called, buffer }: Partial<ShareToken> = token ?? {}
  const hold: unknown = memlayer === 'share' ? given : undefined
  const isBuffer = sharedLength(hold) === bufferBytes
  const [mark, address = NaN, size = NaN, byteOffset = NaN] = isBuffer
    ? new Float64Array(hold as SharedArrayBuffer, 24)
    : []
  const isRange = Number.isInteger(address) && address > 0 && Number.isSafeInteger(size) && size >= 0
  const bytes = buffer === undefined ? null : { buffer, byteOffset }
  if (mark !== magic || !isRange || (bytes !== null && !isWithin(bytes, size))) {
    const hint = 'Pass what region.share(worker) returned, as it arrived by postMessage.'
    throw new UsageError('ERR_MEMLAYER_SHARED', `attach: ${show(token)} is not a share`, { op: 'attach', hint })
  }
  // A message can have changed the name.
  const name = typeof called === 'string' ? called : 'region'
  if (its !== os) {
    const other = typeof its === 'string' ? its : show(its)
    const message = `attach: the share of '${name}' is memory of ${other}, but this memory is of ${os}`
    const hint = 'Make both memories with the same backend.'
    throw new UsageError('ERR_MEMLAYER_SHARED', message, { op: 'attach', hint })
  }
  const words = new Int32Array(hold as SharedArrayBuffer, 0, wordCount)
  expectThread(name, words[THREAD] as number)
  let isTaken = false
  let share: Borrowing | null = null
  const take = (): void => {
    // The owner's thread may end at any moment. Who gives back what it left finds the share, or the owner has left.
    share = table === null ? null : borrow(table, address, size)
    try {
      expectOwner(name, words, table)
      words[TAKER] = table?.thread ?? 0
      const found = Atomics.compareExchange(words, STATE, OFFERED, TAKEN)
      if (found !== OFFERED) notOffered(name, found)
      isTaken = true
    } finally {
      if (!isTaken) share?.end()
    }
  }
  const giveUp = (): void => {
    if (!isTaken) return
    Atomics.compareExchange(words, STATE, TAKEN, RELEASED)
    share?.end()
    share = null
  }
  return { name, address, size, bytes, take, giveUp }
}

/** Whether `size` bytes lie there. A message can have changed the buffer. */
function isWithin({ buffer, byteOffset }: EngineBytes, size: number): boolean {
  return byteOffset >= 0 && byteOffset + size <= (sharedLength(buffer) ?? 0)
}

/** A share ends with the worker that it was offered to, so no other thread may take it. */
function expectThread(name: string, offered: number): void {
  const own = threadId()
  if (offered === UNKNOWN_THREAD || offered === own) return
  const message = `attach: the share of '${name}' is for thread ${offered}, and this is thread ${own}`
  const hint = 'Share the region with the worker that attaches it.'
  throw new UsageError('ERR_MEMLAYER_SHARED', message, { op: 'attach', hint })
}

/** The pages of a thread that has ended are given back, so nobody may take up a share of them. */
function expectOwner(name: string, words: Int32Array, table: ProcessTable | null): void {
  const owner = (words[OWNER] as number) - 1
  if (table === null || owner < 0 || isInUse(table, owner, words[OWNER_USE] as number)) return
  throw new UsageError('ERR_MEMLAYER_SHARED', `attach: the owner of the share of '${name}' has ended`, {
    op: 'attach',
    hint: 'Share regions of a thread that lives as long as their users.',
  })
}

function notOffered(name: string, found: number): never {
  const why =
    found === TAKEN
      ? 'is attached already'
      : found === REVOKED
        ? 'was revoked, because its owner took the pages back'
        : 'was released'
  throw new UsageError('ERR_MEMLAYER_SHARED', `attach: the share of '${name}' ${why}`, {
    op: 'attach',
    hint: 'Ask the owner to call region.share(worker) again.',
  })
}
