// Makes the matrix row by row from real runs, and compares it with the README of memlayer.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Browsers,
  bundleAll,
  bundleRow,
  bundlings,
  forBun,
  installApp,
  lineOf,
  matrixIn,
  matrixText,
  openLab,
  pageRow,
  runtimeRow,
  runtimes,
  takeAway,
  type Bundle,
  type Lab,
  type Row,
  type Runtime,
} from '@memlayer/matrix'
import { requireEngine } from '@memlayer/engines'
import { checkout } from '@memlayer/checks/workspace'
import { isLong, testSeed } from '@memlayer/witness'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'
const everyBundling = [...bundlings, ...forBun('bun')].map((bundling, index) => ({ ...bundling, index }))
const seeded = { seed: testSeed() }

describe.skipIf(!onLinux || !isLong)('the matrix (needs Linux on x64)', () => {
  let lab: Lab
  let app: string
  let bundles: Bundle[]
  let addon: string
  const found: { runtimes: (Row | null)[]; bundles: (Row | null)[] } = { runtimes: [], bundles: [] }

  beforeAll(async () => {
    lab = await openLab()
    app = await installApp(lab)
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  /** Skips the test if the host does not have the runtime, or fails it in CI. */
  const need = (engine: Runtime['engine'], context: TestContext): void => {
    if (engine !== 'node24') requireEngine(engine, context)
  }

  describe.each(runtimes.map((runtime, index) => ({ runtime, index })))(
    '$runtime.engine $runtime.shown',
    ({ runtime, index }) => {
      it('chooses the right backend, gives the reason, and passes the suite', async (context) => {
        found.runtimes[index] = null
        need(runtime.engine, context)
        const row = await runtimeRow(runtime, app, seeded)
        found.runtimes[index] = row
        expect(row).toHaveLength(6)
      })
    },
  )

  describe('a bundle in an empty folder', () => {
    const browsers = new Browsers()
    afterAll(() => browsers[Symbol.asyncDispose]())
    beforeAll(async () => {
      bundles = await bundleAll(lab, app)
      ;({ addon } = takeAway(lab, app))
    })

    it.for(everyBundling)(
      'made by $title for $for contains its backend and passes the suite',
      async ({ index, for: target, how }, context) => {
        found.bundles[index] = null
        if (target === 'bun') need('bun', context)
        if (target === 'node') need('node26', context)
        const bundle = bundles[index] as Bundle
        const row =
          target === 'browser'
            ? await pageRow(bundle, browsers, context, seeded)
            : await bundleRow(bundle, lab.folder('empty'), addon, seeded)
        found.bundles[index] = row
        expect(row[2]).toBe(target === 'browser' ? '`os-js`' : how === 'pin' ? '`os-linux`' : '`os-js`, `os-linux`')
      },
    )
  })

  it('is in the README as the runs made it', () => {
    const readme = readFileSync(join(checkout, 'packages', 'memlayer', 'README.md'), 'utf8')
    const written = matrixIn(readme)
    const rows = [...found.runtimes, ...found.bundles]
    for (const row of rows) if (row !== null) expect(written.split('\n')).toContain(lineOf(row))
    // A host without all runtimes skips some rows. Another host compares the whole matrix.
    if (!rows.includes(null)) expect(written).toBe(matrixText(found))
  })
})
