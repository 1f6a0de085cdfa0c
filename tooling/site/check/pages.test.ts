// Reads every page of the built site: links, anchors, what is fetched, and what it weighs.
import { describe, expect, it } from 'vitest'
import { anchorsOf, attributes, has, pages, styles, targetOf, textOf, weightOf } from './built-site.ts'

const kilobyte = 1000
const weightMax = 300 * kilobyte

describe('the built site', () => {
  it('has a page for each document, and for each entry of a package', () => {
    const paths = pages.map(({ path }) => path)
    expect(paths.length).toBeGreaterThan(90)
    for (const name of ['index', 'guide/choosing', 'recipes/growing-column', 'packages/os-linux', 'reference/memlayer'])
      expect(paths).toContain(`/memlayer/${name}.html`)
  })

  it('leads each link and each anchor somewhere', () => {
    const lost: string[] = []
    for (const page of pages) {
      for (const link of new Set([...attributes(page.html, 'href'), ...attributes(page.html, 'src')])) {
        if (link.startsWith('data:')) continue
        const target = targetOf(page, link)
        if (target === null) continue
        const { path, anchor } = target
        if (!has(path)) lost.push(`${page.path}: ${link}`)
        else if (anchor !== '' && !anchorsOf(path).has(anchor)) lost.push(`${page.path}: ${link} (no such anchor)`)
      }
    }
    expect(lost).toEqual([])
  })

  it('fetches nothing from another host', () => {
    const foreign = pages.flatMap((page) =>
      [...attributes(page.html, 'href', 'link'), ...attributes(page.html, 'src')]
        .filter((link) => !link.startsWith('data:') && targetOf(page, link) === null)
        .map((link) => `${page.path}: ${link}`),
    )
    const inStyles = styles.flatMap((path) =>
      [...textOf(path).matchAll(/(?:url\(|@import\s*)["']?((?:https?:)?\/\/[^"')]+)/g)].map(
        ([, url]) => `${path}: ${url}`,
      ),
    )
    expect([...foreign, ...inStyles]).toEqual([])
  })

  it(`weighs less than ${weightMax / kilobyte} kB a page, packed as it is sent`, () => {
    const weights = pages
      .map((page) => ({ path: page.path, weight: weightOf(page) }))
      .toSorted((a, b) => b.weight - a.weight)
    const told = weights.slice(0, 5).map(({ path, weight }) => `${path}: ${(weight / kilobyte).toFixed(0)} kB`)
    console.log(`the heaviest pages:\n${told.join('\n')}`)
    expect(weights.filter(({ weight }) => weight >= weightMax)).toEqual([])
  })

  it('has one heading of the first level a page, and no heading that skips a level', () => {
    const wrong = pages.filter(({ html }) => {
      const levels = [...(/<main[\s\S]*<\/main>/.exec(html)?.[0] ?? '').matchAll(/<h([1-6])[\s>]/g)].map(([, n]) =>
        Number(n),
      )
      return levels.filter((n) => n === 1).length !== 1 || levels.some((n, i) => n > (levels[i - 1] ?? 0) + 1)
    })
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('gives each picture words', () => {
    expect(pages.filter(({ html }) => /<img (?![^>]*alt="[^"]+")/.test(html)).map(({ path }) => path)).toEqual([])
  })
})
