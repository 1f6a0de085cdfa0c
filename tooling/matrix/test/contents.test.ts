// What tells the backends in a bundle apart: each has sentences of its own, and a text without them has none.
import { contentsOf, sentencesOfBackends } from '@memlayer/matrix'
import { describe, expect, it } from 'vitest'

const sentences = sentencesOfBackends()

describe('the sentences of backends', () => {
  it('are there for each, and are its own', () => {
    expect([...sentences.keys()].toSorted()).toEqual(['aix', 'bsd', 'darwin', 'js', 'linux', 'plan9', 'windows'])
    for (const [backend, all] of sentences) {
      expect([backend, all.length > 0]).toEqual([backend, true])
      for (const sentence of all)
        expect(contentsOf(`"${sentence}"`, sentences)).toEqual({ backends: [backend], koffi: false, foreign: false })
    }
  })

  it('are not in a text that has no backend', () => {
    expect(contentsOf('const linux = "@memlayer/os-linux"', sentences)).toEqual({
      backends: [],
      koffi: false,
      foreign: false,
    })
    expect(contentsOf('require("@koromix/koffi-linux-x64")', sentences).koffi).toBe(true)
    for (const text of [
      'Deno.dlopen(null, {})',
      'import("bun:ffi")',
      "require('node:ffi')",
      'process.dlopen(module, path)',
    ]) {
      expect(contentsOf(text, sentences).foreign, text).toBe(true)
    }
  })
})
