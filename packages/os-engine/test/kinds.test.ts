// Buffers of six kinds, adopted, changed, released and collected on five engines: no death, right bytes, nothing left.
// MEMLAYER_OS_ENGINE=full makes a thousand of each.
import { describe, expect, it } from 'vitest'
import { eachEngine, isFull, runOn } from './on-engines.js'

const count = isFull ? 1000 : 60

describe.skipIf(process.platform !== 'linux')('buffers that the engine has made (needs Linux)', () => {
  it.for(eachEngine)('are adopted and left as they were found, on %s', { timeout: 600_000 }, (name, context) => {
    const told = runOn(name, context, 'kinds.mjs', [String(count)]) as Record<'mappings' | 'grownMiB', number>
    expect(told).toMatchObject({ wrong: [] })
    // Each round has 1.5 MiB for one of each kind. One kind that stays would be a sixth of it. The engine's own pages
    // are as many however large the round is.
    expect(told.grownMiB).toBeLessThan((count * 1.5) / (isFull ? 12 : 7))
    // A live buffer that was adopted is a mapping of its own, or several. Some wait to be collected.
    expect(told.mappings).toBeLessThan(count / 2)
  })
})
