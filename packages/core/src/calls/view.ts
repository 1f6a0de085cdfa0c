// Views, as a memory and a region make them.
import type { Address } from '@memlayer/kernel'
import { checkElements, elementSize, type ViewConstructor, type ViewOf } from '../borrows/view-types.js'
import { checkPlace } from '../check.js'
import { FROM_READY } from '../ledger/states.js'
import type { Parts } from './parts.js'
import { settle } from './settle.js'

/** A view over `length` elements at `v`. `keeper` lives as long as the view. */
export function viewOf<T extends ArrayBufferView>(
  parts: Parts,
  type: ViewConstructor<T>,
  v: Address,
  length: number,
  keeper: object | null,
): ViewOf<T> {
  checkPlace('view', v)
  return viewOfSize(parts, type, elementSize('view', type), v, length, keeper)
}

/** A view of elements of `element` bytes at `v`, which is an address. `isOwn`: on a buffer that has no other view. */
export function viewOfSize<T extends ArrayBufferView>(
  parts: Parts,
  type: ViewConstructor<T>,
  element: number,
  v: Address,
  length: number,
  keeper: object | null,
  isOwn = false,
): ViewOf<T> {
  if (parts.intent.isOpen) settle(parts)
  const { ledger, borrows } = parts
  checkElements('view', type, element, v, length)
  const bytes = length * element
  if (bytes > 0) {
    ledger.expect('view', v, bytes, FROM_READY)
    see(parts, v, bytes)
  }
  return borrows.views.make(type, v, length, bytes, keeper, isOwn) as ViewOf<T>
}

/** JavaScript is about to see [v, v+n). All of a region is kept then: a part that is kept alone costs a mapping. */
export function see({ claims, retired }: Parts, v: Address, n: number): void {
  if (retired.counts(v, n)) return
  const region = claims.at(v)
  if (region === undefined || region.isPartFreed) retired.see(v, n)
  else retired.see(region.address, region.size)
}
