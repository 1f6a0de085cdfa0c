// Reads the built site for the tests: its files, and the links, anchors and parts of each page.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { gzipSync } from 'node:zlib'
import { base, siteFolder } from '@memlayer/site/folders'

/** A page of HTML. */
export interface BuiltPage {
  /** `/memlayer/guide/choosing.html` */
  readonly path: string
  readonly html: string
}

const files = new Set(
  readdirSync(siteFolder, { recursive: true, encoding: 'utf8' }).map((file) => `/${file.replaceAll('\\', '/')}`),
)

/** Every page, except the one for a page that is not found. */
export const pages: readonly BuiltPage[] = [...files]
  .filter((path) => path.endsWith('.html') && !path.endsWith('/404.html'))
  .map((path) => ({ path, html: readFileSync(join(siteFolder, path), 'utf8') }))

/** The text of a file of the site. */
export function textOf(path: string): string {
  return readFileSync(join(siteFolder, path), 'utf8')
}

/** The style sheets. */
export const styles: readonly string[] = [...files].filter((path) => path.endsWith('.css'))

/** Where a link of a page leads: the file and the anchor, or null for another host or what is inside the link. */
export function targetOf(page: BuiltPage, link: string): { path: string; anchor: string } | null {
  const url = new URL(link.replaceAll('&amp;', '&'), `http://site${page.path}`)
  if (url.host !== 'site') return null
  const path = decodeURIComponent(url.pathname)
  const file = path.endsWith('/') ? `${path}index.html` : posix.extname(path) === '' ? `${path}.html` : path
  return { path: files.has(file) ? file : path, anchor: decodeURIComponent(url.hash.slice(1)) }
}

/** Whether the site has a file. */
export function has(path: string): boolean {
  return files.has(path)
}

/** The values of an attribute, of all tags or of the named ones. */
export function attributes(html: string, attribute: string, tag = String.raw`[\w-]+`): string[] {
  return [...html.matchAll(new RegExp(`<${tag}\\s(?:[^>]*\\s)?${attribute}="([^"]*)"`, 'g'))].map(
    ([, value = '']) => value,
  )
}

const anchors = new Map<string, ReadonlySet<string>>()

/** The anchors of a page. */
export function anchorsOf(path: string): ReadonlySet<string> {
  let found = anchors.get(path)
  if (found === undefined) anchors.set(path, (found = new Set(attributes(textOf(path), 'id'))))
  return found
}

/** What a page loads at once, packed as it is sent: itself, styles, modules, and one of each two pictures. */
export function weightOf(page: BuiltPage): number {
  const linked = [
    ...attributes(page.html, 'href', 'link').filter((link) => /\.(?:css|js)$/.test(link)),
    ...attributes(page.html, 'src', 'script'),
  ]
  const pictures = [...page.html.matchAll(/<img [^>]*class="in-light"[^>]*>/g)].flatMap(([tag]) =>
    attributes(tag, 'src'),
  )
  const packed = new Set([page.path, ...linked.map((link) => targetOf(page, link)?.path ?? '')])
  const sizes = [...packed].map((path) => gzipSync(readFileSync(join(siteFolder, path))).length)
  return [...sizes, ...pictures.map((path) => statSync(join(siteFolder, path)).size)].reduce((a, b) => a + b, 0)
}

/** The address of a page on a server. */
export function addressOf(origin: string, path: string): string {
  return `${origin}${base}${path}`
}
