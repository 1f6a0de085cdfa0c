// Writes the page into packages/docs/benchmarks.md. The page is a block that people don't edit by hand.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pageMarkdown, type Results } from './page.js'

const begin = '<!-- written by: npm run bench -- --write -->'
const end = '<!-- end -->'

/** Replaces the page in the document, and returns the document's path. */
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

/** Returns `text` with `block` between the two marks. @throws Error if a mark is missing. */
export function withBlock(text: string, block: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from === -1 || to === -1)
    throw new Error(`can't write the page, the document has no block for it: add the lines '${begin}' and '${end}'`)
  return `${text.slice(0, from)}${begin}\n${block}\n${text.slice(to)}`
}
