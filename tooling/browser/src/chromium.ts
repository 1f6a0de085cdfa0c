// Finds the browser. Without one, it skips a test and says how to install Chromium.
import { accessSync, constants } from 'node:fs'

// The first path is Debian's, a script. The others are paths of other packages.
const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The part of a test's context that skips the test. */
export interface SkippingContext {
  skip(note?: string): never
}

/** Returns the path of a Chromium, or `null`. Looks at MEMLAYER_CHROMIUM if it is set, else at the packages' paths. */
export function findChromium(): string | null {
  const asked = process.env['MEMLAYER_CHROMIUM']
  const candidates = asked === undefined ? paths : [asked]
  return candidates.find(isRunnable) ?? null
}

/** Returns the path of a Chromium. Without one it skips the test with the install command, or fails it in CI. */
export function requireChromium(context: SkippingContext): string {
  const path = findChromium()
  if (path !== null) return path
  const note = 'needs Chromium: apt-get install --no-install-recommends chromium'
  if (process.env['CI'] === 'true') throw new Error(note)
  return context.skip(note)
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
