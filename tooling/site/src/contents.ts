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

/** Returns a group for each heading with a table of links below it. The beginning is a group without a name. */
export function groupsOf(path: string, text: string): Group[] {
  return text.split(/^## /m).flatMap((section, i) => {
    const items = [...section.matchAll(/^\| \[([^\]]+)\]\(([^)#\s]+\.md)\)/gm)].map(([, title = '', target = '']) => ({
      text: title.replaceAll('`', ''),
      link: addressOf(posix.join(posix.dirname(path), target)),
    }))
    return items.length === 0 ? [] : [{ text: i === 0 ? '' : (section.split('\n')[0] ?? ''), items }]
  })
}

/** Returns the links of the table below a heading of a page. */
export function linksBelow(path: string, text: string, heading: string): readonly Item[] {
  return groupsOf(path, text).find((group) => group.text === heading)?.items ?? []
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
