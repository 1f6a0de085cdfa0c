// Tests what a document's links and pictures become in the site.
import { link } from '@memlayer/site/links'
import { describe, expect, it } from 'vitest'

const pages = new Map([
  ['README.md', 'index.md'],
  ['packages/docs/README.md', 'guide/index.md'],
  ['packages/docs/choosing.md', 'guide/choosing.md'],
  ['packages/docs/recipes/growing-column.md', 'recipes/growing-column.md'],
  ['packages/core/README.md', 'packages/core.md'],
])
const places = { pages, isFolder: (path: string) => path === 'packages/core/src' }
const guide = { source: 'packages/docs/choosing.md', path: 'guide/choosing.md' }
const on = (text: string, page = guide): string => link(page, text, places).text
const home = 'https://github.com/memlayer/memlayer'

describe('a link of a document', () => {
  it.each([
    ['a page beside it', '[a](README.md)', '[a](./index.md)'],
    ['a page of another room', '[a](recipes/growing-column.md#run-it)', '[a](../recipes/growing-column.md#run-it)'],
    ['a README', '[a](../core/README.md#errors)', '[a](../packages/core.md#errors)'],
    ['the folder of a README', '[a](../core/)', '[a](../packages/core.md)'],
    ['the root', '[a](../../README.md)', '[a](../index.md)'],
    ['a page by its address on GitHub', `[a](${home}/blob/main/packages/docs/README.md#b)`, '[a](./index.md#b)'],
    ['a heading of the page itself', '[a](#b)', '[a](#b)'],
    ['another host', '[a](https://go.dev/#x)', '[a](https://go.dev/#x)'],
    ['a file that is not a page', '[a](../core/src/index.ts)', `[a](${home}/blob/main/packages/core/src/index.ts)`],
    ['a folder', '[a](../core/src)', `[a](${home}/tree/main/packages/core/src)`],
    ['a page from HTML', '<a href="../core/README.md">', '<a href="../packages/core.md">'],
  ])('leads to %s', (_, text, expected) => {
    expect(on(text)).toBe(expected)
  })

  it('stays as it is in a block of code', () => {
    const text = 'see [a](README.md)\n```md\n[a](README.md)\n```\n[a](README.md)'
    expect(on(text)).toBe('see [a](./index.md)\n```md\n[a](README.md)\n```\n[a](./index.md)')
  })
})

describe('a picture', () => {
  const picture = `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="packages/inspect/dark.png">
  <img alt="The page" src="packages/inspect/light.png">
</picture>`

  it('is two, one for each look of the site, and both are copied', () => {
    const { text, pictures } = link({ source: 'README.md', path: 'index.md' }, picture, places)
    expect(text).toBe(
      '<img class="in-light" loading="lazy" alt="The page" src="./packages/inspect/light.png">\n' +
        '<img class="in-dark" loading="lazy" alt="The page" src="./packages/inspect/dark.png">',
    )
    expect(pictures).toEqual(['packages/inspect/light.png', 'packages/inspect/dark.png'])
  })
})
