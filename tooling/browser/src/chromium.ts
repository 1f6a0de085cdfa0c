// Where the browser is, and what to say where it is not.
import { accessSync, constants } from 'node:fs'

// Debian's chromium is a script; the others are where people have their own.
const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The part of a test's context that skips it. */
export interface SkippingContext {
  skip(note?: string): never
}

/** The path of a Chromium: MEMLAYER_CHROMIUM, or where packages put it; `null`: there is none. */
export function findChromium(): string | null {
  const asked = process.env['MEMLAYER_CHROMIUM']
  const candidates = asked === undefined ? paths : [asked]
  return candidates.find(isRunnable) ?? null
}

/** The path of a Chromium. Without one the test is skipped, and says how to get it run; in CI it fails. */
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
