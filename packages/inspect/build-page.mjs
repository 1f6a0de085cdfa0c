// Builds the page as one file, dist/page.html: rolldown bundles the modules and libraries, and the styles go inline.
// The page's own policy lets only these run, so nothing comes from the network.
// `npm run build` runs this after the compiler. server.ts serves the file.
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

const html = readFileSync(join(here, 'src/page/index.html'), 'utf8')
const style = readFileSync(uplot, 'utf8') + readFileSync(join(here, 'src/page/style.css'), 'utf8')
// The HTML parser ends a script at the first such tag, even inside a string.
const script = output[0].code.replaceAll('</script', '<\\/script')
const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
// The policy stands in the file itself, so it also holds when the file is opened from disk.
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')
writeFileSync(
  join(here, 'dist/page.html'),
  html
    .replace('/* policy */', () => policy)
    // Without the spaces that a formatter puts around the marks: the browser would hash them too.
    .replace(/\s*\/\* style \*\/\s*/, () => style)
    .replace(/\s*\/\* script \*\/\s*/, () => script),
)
