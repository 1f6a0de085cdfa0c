// Takes the pictures of the README from the demo, and those of docs/finding-a-leak.md from a program with three leaks:
// `npm run screenshots`. It waits 20 seconds, so that the chart has data.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { openBrowser } from '@memlayer/browser'

const SECONDS = 20
const here = import.meta.dirname
const context = {
  skip(note) {
    throw new Error(note)
  },
}

const browser = await openBrowser(context)
try {
  await demoPictures()
  await leakPictures()
} finally {
  await browser[Symbol.asyncDispose]()
}

/** The light and the dark picture of the whole page. */
async function demoPictures() {
  const demo = spawn(process.execPath, ['dist/cli.js', 'demo'], { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const page = await opened(demo.stdout)
    await page.setViewportSize({ width: 1280, height: 1130 })
    await page.waitForTimeout(SECONDS * 1000)
    await page.locator('#explain-now').click()
    await page.locator('#regions button', { hasText: 'cache' }).first().click()
    await page.waitForTimeout(3000)
    await page.evaluate(() => {
      scrollTo(0, 0)
      document.activeElement?.blur()
    })
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      await page.waitForTimeout(500)
      await page.screenshot({ path: join(here, `page-${colorScheme}.png`) })
    }
  } finally {
    demo.kill('SIGINT')
  }
}

/** The three looks that find the leaks of the photo service. */
async function leakPictures() {
  const flags = ['--expose-gc', '--import', '@memlayer/inspect/auto', 'test/photo-service/main.mjs', '300']
  const service = spawn(process.execPath, flags, { cwd: here, stdio: ['ignore', 'inherit', 'pipe'] })
  try {
    const page = await opened(service.stderr)
    await page.setViewportSize({ width: 1180, height: 900 })
    await page.waitForTimeout(SECONDS * 1000)
    const picture = async (name, part) => {
      await page.waitForTimeout(1500)
      const path = join(here, '../docs/pictures', `${name}.png`)
      await page.locator(`section:has(${part})`).screenshot({ path })
    }
    await picture('leak-growth', '#places')
    await page.locator('#places-measure').selectOption('leaked')
    await picture('leak-dropped', '#places')
    await picture('leak-held', '#holds')
  } finally {
    service.kill('SIGKILL')
  }
}

/** The page whose address a program prints. */
async function opened(output) {
  const [said] = await once(output.setEncoding('utf8'), 'data')
  const { page } = await browser.open(/http:\S+/.exec(said)[0])
  return page
}
