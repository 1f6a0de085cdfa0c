// The token of a share, and the word of shared memory that decides between its two sides, so that neither side can
// be too late. The owner offers and revokes; the worker takes up and gives up.
import type { Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { show } from '../text.js'
import { threadId, UNKNOWN_THREAD } from './worker.js'

// The word's values. OFFERED becomes TAKEN or REVOKED, and TAKEN becomes RELEASED. An offer that was revoked in vain
// becomes OFFERED again.
export const OFFERED = 0
export const TAKEN = 1
export const RELEASED = 2
export const REVOKED = 3

// The buffer that is posted: two words of 32 bits, the state and the thread that it is for, then three doubles:
// magic, address and size.
const bufferBytes = 32
/** The place of the state among the words. */
export const STATE = 0
const THREAD = 1
/** Marks a buffer as a share's. A program does not have this number there by chance. */
const magic = 0x6d6c_6179_6572

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
}

/** A new offer of [v, v+n) to a thread: the token to post, and the words that the owner keeps. */
export function makeToken(
  os: string,
  name: string,
  v: Address,
  n: number,
  thread: number | undefined,
): { readonly token: ShareToken; readonly words: Int32Array } {
  const hold = new SharedArrayBuffer(bufferBytes)
  const words = new Int32Array(hold, 0, 2)
  words[THREAD] = thread ?? UNKNOWN_THREAD
  new Float64Array(hold, 8).set([magic, v, n])
  return { token: { memlayer: 'share', os, name, address: v, size: n, hold }, words }
}

/** What a worker is offered. */
export interface Offered {
  readonly name: string
  readonly address: Address
  readonly size: number
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
export function readOffer(token: ShareToken, os: string): Offered {
  const { memlayer, hold: given, os: its, name: called }: Partial<ShareToken> = token ?? {}
  const hold: unknown = memlayer === 'share' ? given : undefined
  const isBuffer = hold instanceof SharedArrayBuffer && hold.byteLength === bufferBytes
  const [mark, address = NaN, size = NaN] = isBuffer ? new Float64Array(hold, 8) : []
  const isRange = Number.isInteger(address) && address > 0 && Number.isSafeInteger(size) && size >= 0
  if (mark !== magic || !isRange) {
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
  const words = new Int32Array(hold as SharedArrayBuffer, 0, 2)
  expectThread(name, words[THREAD] as number)
  let isTaken = false
  const take = (): void => {
    const found = Atomics.compareExchange(words, STATE, OFFERED, TAKEN)
    isTaken = found === OFFERED
    if (!isTaken) notOffered(name, found)
  }
  const giveUp = (): void => {
    if (isTaken) Atomics.compareExchange(words, STATE, TAKEN, RELEASED)
  }
  return { name, address, size, take, giveUp }
}

/** A share ends with the worker that it was offered to, so no other thread may take it. */
function expectThread(name: string, offered: number): void {
  const own = threadId()
  if (offered === UNKNOWN_THREAD || offered === own) return
  const message = `attach: the share of '${name}' is for thread ${offered}, and this is thread ${own}`
  const hint = 'Share the region with the worker that attaches it.'
  throw new UsageError('ERR_MEMLAYER_SHARED', message, { op: 'attach', hint })
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
