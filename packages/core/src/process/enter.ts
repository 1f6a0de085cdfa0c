// A memory enters the process: it gets a record, gives back what other threads have left, and hears when they end.
import type { OS } from '../os.js'
import type { Pairs } from './log.js'
import { reap } from './reap.js'
import { ProcessRecord, tableOf } from './record.js'

/** The table that this thread listens for. */
let heard: object | null = null

/** A record for what `owned` says. Null: the host has no table, or it is full. */
export function enterProcess(os: OS, owned: () => Pairs): ProcessRecord | null {
  const table = tableOf(os)
  if (table === null) return null
  reap(table)
  if (heard !== table) {
    heard = table
    table.onThreadEnd(() => reap(table))
  }
  return ProcessRecord.enter(table, owned)
}
