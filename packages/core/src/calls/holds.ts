// memory.holds(): all that keeps pages Ready besides their owner.
import type { Pinned } from '../borrows/views.js'
import { now, type Holding } from '../holding.js'
import type { Parts } from './parts.js'

/** Holds, lends, transfers, shares that a worker has, and views that were found moved. The oldest comes first. */
export function holdsOf({ borrows, claims }: Parts): Holding[] {
  const all = borrows.shares.holdings(0, 2 ** 64)
  for (const pinned of borrows.views.pinned()) all.push(movedOf(pinned, claims))
  return all.toSorted((a, b) => b.age - a.age)
}

function movedOf({ start, end, since }: Pinned, claims: Parts['claims']): Holding {
  const region = claims.at(start)
  return {
    kind: 'moved',
    region: region?.name ?? '(no region)',
    offset: start - (region?.address ?? start),
    length: end - start,
    address: start,
    made: region?.made ?? '',
    worker: null,
    age: now() - since,
  }
}
