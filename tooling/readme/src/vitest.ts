// Declares vitest tests: one for each block, named by its line in the README.
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { examplesOf } from './examples.js'
import { runExample } from './run.js'

/** Declares a test for each example of a README: `testExamples(new URL('../README.md', import.meta.url))`. */
export function testExamples(readme: URL): void {
  describe(`the examples of ${basename(fileURLToPath(readme))}`, () => {
    const examples = examplesOf(readme)
    it('have at least one block that is marked to run', () => expect(examples.length).toBeGreaterThan(0))
    for (const example of examples) {
      it(`runs the block at line ${example.line}`, (context) => {
        const { platforms } = example
        if (platforms.length > 0 && !platforms.includes(process.platform))
          context.skip(`runs on ${platforms.join(', ')}`)
        runExample(example)
      })
    }
  })
}
