// `npm run matrix` makes every row from a real run, prints it, and writes the matrix into the README of memlayer.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '@memlayer/checks/workspace'
import { openLab } from './lab.js'
import { bundleAll, installApp, takeAway } from './matrix.js'
import { placeRow, places } from './places.js'
import { Browsers, bundleRow, pageRow, runtimeRow, type Row } from './rows.js'
import { runtimes } from './runtimes.js'
import { lineOf, matrixText, placesText, withMatrix } from './table.js'

const readme = join(checkout, 'packages', 'memlayer', 'README.md')
const seeded = { seed: Number(process.env['MEMLAYER_SEED'] ?? 1) }

// A missing runtime or browser would leave a row out, so this throws and the README stays as it is.
const context = {
  skip(note?: string): never {
    throw new Error(note)
  },
}

async function rows(): Promise<{ runtimes: Row[]; bundles: Row[]; placed: Row[] }> {
  await using lab = await openLab()
  const app = await installApp(lab)
  const found: { runtimes: Row[]; bundles: Row[]; placed: Row[] } = { runtimes: [], bundles: [], placed: [] }
  const keep = (list: Row[], row: Row): void => {
    list.push(row)
    console.log(lineOf(row))
  }
  for (const runtime of runtimes) keep(found.runtimes, await runtimeRow(runtime, app, seeded))
  for (const place of places) keep(found.placed, await placeRow(place, lab, app))
  const bundles = await bundleAll(lab, app)
  const { addon } = takeAway(lab, app)
  await using browsers = new Browsers()
  for (const bundle of bundles) {
    const row =
      bundle.for === 'browser'
        ? pageRow(bundle, browsers, context, seeded)
        : bundleRow(bundle, lab.folder('empty'), addon, seeded)
    keep(found.bundles, await row)
  }
  return found
}

void rows().then((found) => {
  const text = withMatrix(readFileSync(readme, 'utf8'), matrixText(found))
  writeFileSync(readme, withMatrix(text, placesText(found.placed), 'places'))
  console.log(`\nWritten into ${readme}.`)
})
