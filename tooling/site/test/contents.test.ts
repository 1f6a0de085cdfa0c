// Tests which documents are pages, and that the navigation follows the documents' own lists.
import { readWorkspace, publicPackages, readText } from '@memlayer/checks/workspace'
import { addressOf, groupsOf, linksBelow, lostPages } from '@memlayer/site/contents'
import { pagesOf } from '@memlayer/site/pages'
import { describe, expect, it } from 'vitest'

describe('the pages', () => {
  it('are the documents and the READMEs of published packages, and not those of tools', () => {
    const files = [
      'README.md',
      'CONTRIBUTING.md',
      'packages/docs/README.md',
      'packages/docs/choosing.md',
      'packages/docs/recipes/growing-column.md',
      'packages/docs/decisions/README.md',
      'packages/core/README.md',
      'packages/core/CHANGELOG.md',
      'packages/core/etc/index.api.md',
      'packages/examples/README.md',
      'tooling/matrix/README.md',
    ]
    expect(pagesOf(files, ['packages/core']).map(({ path }) => path)).toEqual([
      'index.md',
      'contributing.md',
      'guide/index.md',
      'guide/choosing.md',
      'recipes/growing-column.md',
      'decisions/index.md',
      'packages/core.md',
    ])
  })

  it('have addresses without an ending', () => {
    expect(['index.md', 'guide/index.md', 'guide/a.md'].map(addressOf)).toEqual(['/', '/guide/', '/guide/a'])
  })
})

describe('the navigation', () => {
  const list =
    '# All\n\n| | |\n| --- | --- |\n| [A `b`](a.md) | x |\n\n## Recipes\n\n| [C](recipes/c.md) | [no](d.md) |\n'

  it('has the first link of each row, in the order of the list', () => {
    expect(linksBelow('guide/index.md', list, '')).toEqual([{ text: 'A b', link: '/guide/a' }])
    expect(linksBelow('guide/index.md', list, 'Recipes')).toEqual([{ text: 'C', link: '/guide/recipes/c' }])
  })

  it('tells of a page that no list names', () => {
    const groups = [{ text: 'G', items: [{ text: 'A', link: '/guide/a' }] }]
    expect(lostPages(groups, ['guide/a.md', 'guide/b.md'])).toEqual(['/guide/b'])
  })

  it('names every document of packages/docs', () => {
    const workspace = readWorkspace()
    const published = publicPackages(workspace).map(({ folder }) => folder)
    const documents = pagesOf(workspace.files, published).filter(({ source }) => source.startsWith('packages/docs/'))
    const read = (folder: string): string => readText(workspace.root, `${folder}/README.md`)
    const guide = read('packages/docs')
    const linked = [
      ...groupsOf('guide/index.md', guide).flatMap(({ items }) => items),
      ...linksBelow('guide/decisions/index.md', read('packages/docs/decisions'), ''),
    ].map(({ link }) => link.replace(/^\/guide\/(recipes|decisions)\//, '/$1/'))
    const addresses = documents.map(({ path }) => addressOf(path)).filter((address) => !address.endsWith('/'))
    expect(addresses.filter((address) => !linked.includes(address))).toEqual([])
  })
})
