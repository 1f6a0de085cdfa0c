// The examples of every document here that marks a block to run.
import { readdirSync, readFileSync } from 'node:fs'
import { testExamples } from '@memlayer/readme/vitest'
import { expect, it } from 'vitest'

const folder = new URL('../', import.meta.url)
const documents = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.md') && !file.includes('node_modules/'))
  .filter((file) => /^```[tj]s run/m.test(readFileSync(new URL(file, folder), 'utf8')))
  .toSorted()

it('has examples in the documents that explain the programming interface', () => {
  expect(documents).toEqual(expect.arrayContaining(['concepts.md', 'containers.md', 'errors.md', 'in-and-out.md']))
})

for (const document of documents) testExamples(new URL(document, folder))
