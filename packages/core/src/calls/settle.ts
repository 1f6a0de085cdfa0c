// The end of an operation that did not come to its end: what the backend threw, and what a script left half way. What
// was left is settled to the safe side by the next call that looks. What is lost is address space or an advice; never
// is a range Ready without pages, and never is it owned twice.
import type { Address } from '@memlayer/kernel'
import type { Operation } from '../account/observer.js'
import { addHint, asOwn, FatalError, MemlayerError } from '../errors.js'
import { AS_IS, NONE, RETIRED } from '../ledger/intent.js'
import { nameOfState } from '../ledger/states.js'
import { thrownText } from '../text.js'
import type { Parts } from './parts.js'

/** Settles the operation that a script left, which `parts.intent` tells of. A script may end here as well. */
export function settle(parts: Parts): void {
  const { intent, ledger, account, retired, lingering, idle } = parts
  const { state, pairs } = intent
  if (pairs === null) settleRange(parts, state, intent.address, intent.size)
  else for (let i = 0; i < pairs.length; i += 2) settleRange(parts, state, pairs[i] as Address, pairs[i + 1] as number)
  ledger.recount()
  account.recount()
  retired.recount()
  lingering.recount()
  idle.recount()
  intent.end()
}

function settleRange({ ledger, claims, hugePages, retired, idle }: Parts, state: number, v: Address, n: number): void {
  if (state === AS_IS) return
  idle.forget(v, n)
  const isGone = state === NONE || state === RETIRED
  ledger.force(v, n, isGone ? NONE : state)
  if (!isGone) return
  claims.freed(v, n, true)
  hugePages.freed(v, n)
  if (state === RETIRED) retired.addAgain(v, n)
  else retired.forget(v, n)
}

/** Ends an operation that failed, and returns the error for its caller. An open intent: the backend was asked. */
export function failed(
  parts: Parts,
  op: Operation,
  v: Address | null,
  n: number,
  category: number,
  error: unknown,
): unknown {
  return parts.account.failed(op, v, n, category, ended(parts, op, v, n, error))
}

/** Settles what a failure left, and returns the error with the state that the range is in. */
function ended(parts: Parts, op: Operation, v: Address | null, n: number, thrown: unknown): unknown {
  const { intent } = parts
  const error = asOwn(thrown)
  if (error instanceof MemlayerError) {
    // A backend that throws one vouches for the range: it is as it was. Or it says that it could not put it back.
    if (error.unsettled !== true || !intent.isOpen) {
      intent.end()
      return error
    }
    const { state } = intent
    settle(parts)
    addHint(error, hintOf(state))
    return error
  }
  const state = intent.isOpen ? intent.state : AS_IS
  if (intent.isOpen) settle(parts)
  return broken(op, v, n, error, hintOf(state))
}

/** What the range is from now on. */
function hintOf(state: number): string {
  if (state === AS_IS) return 'The account is as it was before the call.'
  if (state === NONE || state === RETIRED) return 'The range is None: it is not used again, and must not be touched.'
  return `The range is ${nameOfState(state)}.`
}

function broken(op: Operation, v: Address | null, n: number, cause: unknown, hint: string): FatalError {
  const message = `${op}: the backend threw ${thrownText(cause)}`
  return new FatalError(message, { op, size: n, hint, cause, ...(v === null ? {} : { address: v }) })
}

/**
 * Returns when the intent that was begun with these arguments is still open. `pairs`: it was begun about all of them.
 *
 * @throws FatalError when the backend's function called this memory meanwhile. That call has settled the range, and the
 * function went on: so it is settled once more.
 */
export function expectOpen(
  parts: Parts,
  state: number,
  op: Operation,
  v: Address,
  n: number,
  pairs: ArrayLike<number> | null = null,
): void {
  if (!parts.intent.isOpen) calledMeanwhile(parts, state, op, v, n, pairs)
}

function calledMeanwhile(
  parts: Parts,
  state: number,
  op: Operation,
  v: Address,
  n: number,
  pairs: ArrayLike<number> | null,
): never {
  const { intent } = parts
  if (pairs === null) intent.begin(state, v, n)
  else intent.beginAll(state, pairs)
  settle(parts)
  const hint = `Call the memory after the function has returned. ${hintOf(state)}`
  const message = `${op}: a function of the backend called the memory that it serves`
  throw new FatalError(message, { op, address: v, size: n, hint })
}
