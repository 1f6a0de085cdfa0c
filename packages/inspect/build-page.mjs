// The page as one file: its modules and the libraries bundled by rolldown, its styles, and the policy that lets
// exactly these run; nothing from the network. Run by `npm run build` after the compiler; server.ts serves dist/page.html.
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
// A script ends at the first such tag, also within a string.
const script = output[0].code.replaceAll('</script', '<\\/script')
const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
// In the file itself, so that it holds where no server says it: opened from a disk.
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
    .replace('/* style */', () => style)
    .replace('/* script */', () => script),
)
