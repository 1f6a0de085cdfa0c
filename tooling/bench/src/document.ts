// packages/docs/benchmarks.md: the page as it was last written, in a block that is not to be edited by hand.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pageMarkdown, type Results } from './page.js'

const begin = '<!-- written by: npm run bench -- --write -->'
const end = '<!-- end -->'

/** Puts the page in place of the one before; returns the file. */
export function writeDocument(root: string, results: Results): string {
  const file = join(root, 'packages', 'docs', 'benchmarks.md')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    file,
    withBlock(
      existsSync(file) ? readFileSync(file, 'utf8') : `# Benchmarks\n\n${begin}\n${end}\n`,
      pageMarkdown(results),
    ),
  )
  return file
}

/** `text` with `block` between the two marks. @throws Error where there are none. */
export function withBlock(text: string, block: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`there is no block to write into: put '${begin}' and '${end}' there`)
  return `${text.slice(0, from)}${begin}\n${block}\n${text.slice(to)}`
}
