// The order of the pages, for the navigation. The tables of the documents' own lists give it, so that there is no
// second list. build.ts writes it into the generator's configuration.
import { posix } from 'node:path'

/** A line of the navigation. */
export interface Item {
  readonly text: string
  readonly link: string
}

/** A group of lines under a title. */
export interface Group {
  readonly text: string
  readonly items: readonly Item[]
}

/** Returns the links of the tables below a heading of a page, in their order. `heading` is '' for its beginning. */
export function linksBelow(path: string, text: string, heading: string): Item[] {
  const sections = text.split(/^## /m)
  const section = heading === '' ? sections[0] : sections.find((part) => part.startsWith(`${heading}\n`))
  return [...(section ?? '').matchAll(/^\| \[([^\]]+)\]\(([^)#\s]+\.md)\)/gm)].map(([, title = '', target = '']) => ({
    text: title.replaceAll('`', ''),
    link: addressOf(posix.join(posix.dirname(path), target)),
  }))
}

/** The address of a page: `/guide/choosing` for `guide/choosing.md`, `/guide/` for `guide/index.md`. */
export function addressOf(path: string): string {
  return `/${path.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '')}`
}

/** Pages that no link of the lists names. They would be lost. */
export function lostPages(groups: readonly Group[], paths: readonly string[]): string[] {
  const listed = new Set(groups.flatMap(({ items }) => items.map((item) => item.link)))
  return paths.map(addressOf).filter((address) => !listed.has(address))
}
