// Takes the pictures of the README from the demo: `npm run screenshots`. It waits 20 seconds, so that the chart has
// data, and then takes the light and the dark picture.
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

const demo = spawn(process.execPath, ['dist/cli.js', 'demo'], { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] })
const browser = await openBrowser(context)
try {
  const [said] = await once(demo.stdout.setEncoding('utf8'), 'data')
  const { page } = await browser.open(/http:\S+/.exec(said)[0])
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
  await browser[Symbol.asyncDispose]()
  demo.kill('SIGINT')
}
