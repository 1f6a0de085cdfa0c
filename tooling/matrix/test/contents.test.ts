// Tests how a bundle's text tells its backends. Each backend has its own sentences.
import { contentsOf, sentencesOfBackends } from '@memlayer/matrix'
import { describe, expect, it } from 'vitest'

const sentences = sentencesOfBackends()

describe('the sentences of backends', () => {
  it('exist for each backend, and are in that backend only', () => {
    expect([...sentences.keys()].toSorted()).toEqual([
      'aix',
      'bsd',
      'darwin',
      'engine',
      'js',
      'linux',
      'plan9',
      'windows',
    ])
    for (const [backend, all] of sentences) {
      expect([backend, all.length > 0]).toEqual([backend, true])
      for (const sentence of all)
        expect(contentsOf(`"${sentence}"`, sentences)).toEqual({ backends: [backend], koffi: false, foreign: false })
    }
  })

  it('are not in a text without a backend', () => {
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
