// A late access to pages that were given back ends no process, and changes no memory obtained since. The scenes
// are in windows/late.ts.
import { needsWindows, runOnWindows } from '@memlayer/wine'
import { describe, expect, it } from 'vitest'

const scenes = [
  'a call in flight, free, and the same size anew',
  'a call in flight, and free of a region of which little is committed',
  'a call in flight, and unused',
  'a call in flight, unused, and used again',
  'a call in flight, and fault',
  'a call in flight, unused, and free',
  'more than may stay committed is decommitted, the oldest first',
  'a BYOB reader that keeps the bytes',
  'a view that was enqueued to a stream of bytes',
  'a view whose buffer can not be detached',
  'an observer that frees the buffer that grows',
  'Error.prepareStackTrace that throws',
  'scripts that end anywhere',
  'a Deserializer that keeps the address',
  'an exit that a worker did not make',
  'a view of a share whose SharedRegion is gone',
]

describe('os-windows: a process lives through', () => {
  it.for(scenes)('%s', { timeout: 60_000 }, async (scene, context) => {
    needsWindows(context)
    const { code, stdout, stderr } = await runOnWindows('windows/late.ts', {
      folder: import.meta.dirname,
      args: [scene],
    })
    expect(stderr).not.toContain('Assertion')
    expect([code, stdout]).toEqual([0, `lives: ${scene}\n`])
  })
})
