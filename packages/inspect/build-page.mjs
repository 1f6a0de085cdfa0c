// Writes the page as one file, dist/page.html, and as the text that server.ts serves, dist/page-html.js. It has the
// bundled modules and libraries, the styles, and a policy that allows exactly these. `npm run build` runs it after the
// compiler.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { rolldown } from 'rolldown'

const here = import.meta.dirname
const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist', 'uPlot.min.css')
const build = await rolldown({ input: join(here, 'dist/page/app.js'), platform: 'browser' })
const { output } = await build.generate({ format: 'iife', minify: true })
await build.close()

const style = readFileSync(uplot, 'utf8') + readFileSync(join(here, 'src/page/style.css'), 'utf8')
// A script ends at the first closing tag, even inside a string.
const script = output[0].code.replaceAll('</script', '<\\/script')
const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
// In the file itself, so that the policy holds where no server sends it, as from a disk.
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')
let page = readFileSync(join(here, 'src/page/index.html'), 'utf8')
for (const [name, text] of Object.entries({ policy, style, script })) {
  // A hash is over every byte between the tags, so the spaces around a placeholder go with it.
  const placeholder = new RegExp(`\\s*/\\* ${name} \\*/\\s*`)
  if (!placeholder.test(page)) throw new Error(`src/page/index.html has no place for the ${name}: write /* ${name} */`)
  page = page.replace(placeholder, () => text)
}
writeFileSync(join(here, 'dist/page.html'), page)
writeFileSync(
  join(here, 'dist/page-html.js'),
  `/** The page, as build-page.mjs made it. */\nexport const pageHtml = ${JSON.stringify(page)}\n`,
)
