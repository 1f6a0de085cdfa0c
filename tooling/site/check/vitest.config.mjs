// The tests of the built site, apart from `npm test`, because VitePress has to be fetched for them. main.ts runs them.
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const here = import.meta.dirname

export default defineConfig({
  root: here,
  test: {
    reporters: ['default', join(here, '../../vitest/closing-line.mjs')],
    testTimeout: 120_000,
    pool: 'forks',
    include: ['*.test.ts'],
  },
})
