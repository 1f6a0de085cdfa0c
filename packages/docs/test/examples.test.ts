// The examples of every document here that marks a block to run.
import { readdirSync, readFileSync } from 'node:fs'
import { testExamples } from '@memlayer/readme/vitest'
import { expect, it } from 'vitest'

const folder = new URL('../', import.meta.url)
// Not recursively: node_modules leads to every package of the workspace.
const documents = ['', 'decisions/', 'recipes/']
  .flatMap((room) => readdirSync(new URL(room, folder)).map((name) => room + name))
  .filter((file) => file.endsWith('.md'))
  .filter((file) => /^```[tj]s run/m.test(readFileSync(new URL(file, folder), 'utf8')))
  .toSorted()

it('has examples in the documents that explain the programming interface', () => {
  expect(documents).toEqual(expect.arrayContaining(['concepts.md', 'containers.md', 'errors.md', 'in-and-out.md']))
})

it('has an example in every recipe', () => {
  const recipes = readdirSync(new URL('recipes/', folder)).map((name) => `recipes/${name}`)
  expect(recipes.filter((recipe) => !documents.includes(recipe))).toEqual([])
})

for (const document of documents) testExamples(new URL(document, folder))
