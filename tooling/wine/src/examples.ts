// Runs a README's examples for Windows in Node for Windows, like @memlayer/readme does on this machine's own Node.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { examplesOf, ExampleError, moduleOf } from '@memlayer/readme'
import { testExamples } from '@memlayer/readme/vitest'
import { describe, expect, it } from 'vitest'
import { needsWindows } from './describe.js'
import { modules, runOnWindows } from './run.js'

/** Declares a test for each example of a README that names `win32`. */
export function testExamplesOnWindows(readme: URL): void {
  if (process.platform === 'win32') return testExamples(readme)
  const path = fileURLToPath(readme)
  describe(`the examples of ${basename(path)} in Node for Windows`, () => {
    const examples = examplesOf(readme).filter(({ platforms }) => platforms.includes('win32'))
    it('have at least one block that is marked to run', () => expect(examples.length).toBeGreaterThan(0))
    for (const example of examples) {
      it(`runs the block at line ${example.line}`, async (context) => {
        needsWindows(context)
        const folder = mkdtempSync(join(tmpdir(), 'memlayer-readme-'))
        try {
          writeFileSync(
            join(folder, 'example.mts'),
            moduleOf(example, `${modules}/@memlayer/readme/dist/expectations.js`),
          )
          const { code, stdout, stderr } = await runOnWindows('example.mts', { folder })
          if (code !== 0) throw new ExampleError(`${path}:${example.line}: exit ${code}\n${stderr}`)
          const { output = stdout } = example
          expect(stdout.trimEnd()).toBe(output.trimEnd())
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      })
    }
  })
}
