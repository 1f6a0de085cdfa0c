// Makes the text of a page from a document: links to other pages, to the source on GitHub for what is not a page, and
// pictures that follow the site's own light and dark. build.ts calls it.
import { posix } from 'node:path'
import { repository, type Page } from './pages.js'

/** What a page may lead to. */
export interface Places {
  /** The site's paths of the pages, by their source. */
  readonly pages: ReadonlyMap<string, string>
  /** Whether the repository has a folder at this path. */
  isFolder(path: string): boolean
}

/** A page's text, and the pictures that it shows. */
export interface Linked {
  readonly text: string
  /** Paths of pictures in the repository. They have the same path in the site. */
  readonly pictures: readonly string[]
}

const homes = [`${repository}/blob/main/`, 'https://raw.githubusercontent.com/memlayer/memlayer/main/']

/** Rewrites a document's links for the site. Code stays as it is. */
export function link(page: Page, text: string, places: Places): Linked {
  const pictures = new Set<string>()
  const rewritten = outsideOfCode(text, (prose) =>
    twoPictures(prose).replaceAll(
      /(\]\()([^)\s]+)(?=\))|(\b(?:src|href)=")([^"\s]+)(?=")/g,
      (_, inText?: string, target?: string, inTag?: string, address?: string) =>
        (inText ?? inTag ?? '') + lead(page, target ?? address ?? '', places, pictures),
    ),
  )
  return { text: rewritten, pictures: [...pictures] }
}

/** Returns where a link of a page leads in the site. */
function lead(page: Page, target: string, { pages, isFolder }: Places, pictures: Set<string>): string {
  const [file = '', anchor] = target.split('#')
  const home = homes.find((address) => file.startsWith(address))
  if (file === '' || (home === undefined && /^[a-z]+:/.test(file))) return target
  const source = home === undefined ? posix.join(page.source, '..', file) : file.slice(home.length)
  const to = anchor === undefined ? '' : `#${anchor}`
  const path = pages.get(source) ?? pages.get(posix.join(source, 'README.md'))
  if (path !== undefined) return relativeTo(page, path) + to
  if (/\.(?:png|svg)$/.test(source)) {
    pictures.add(source)
    return relativeTo(page, source)
  }
  return `${repository}/${isFolder(source) ? 'tree' : 'blob'}/main/${source.replace(/\/$/, '')}${to}`
}

function relativeTo(page: Page, path: string): string {
  const found = posix.relative(posix.dirname(page.path), path)
  return found.startsWith('.') ? found : `./${found}`
}

const dark = String.raw`<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">`
const light = String.raw`<img alt="([^"]*)" src="([^"]+)">`
const picture = new RegExp(String.raw`<picture>\s*${dark}\s*${light}\s*</picture>`, 'g')

/** Makes two pictures of a `<picture>`: the site's switch changes a class, and not what the system prefers. */
function twoPictures(prose: string): string {
  return prose.replaceAll(
    picture,
    (_, inDark: string, alt: string, inLight: string) =>
      `<img class="in-light" loading="lazy" alt="${alt}" src="${inLight}">\n` +
      `<img class="in-dark" loading="lazy" alt="${alt}" src="${inDark}">`,
  )
}

/** Applies `change` to what is between fenced blocks. */
function outsideOfCode(text: string, change: (prose: string) => string): string {
  return text
    .split(/^(```[^\n]*\n[\s\S]*?^```[ \t]*$)/m)
    .map((part, i) => (i % 2 === 0 ? change(part) : part))
    .join('')
}
