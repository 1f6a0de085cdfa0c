// Finds the programs of the browsers. Without one it skips a test and says how to install it.
import { accessSync, constants } from 'node:fs'

/** The engines that tests run pages in. */
export type EngineName = 'Chromium' | 'Firefox' | 'WebKitGTK'

interface Program {
  /** The environment variable with the path of another program. */
  readonly variable: string
  /** The first path is Debian's. The others are paths of other packages. */
  readonly paths: readonly string[]
  /** The Debian packages that a test needs. */
  readonly packages: string
}

const programs: Readonly<Record<EngineName, Program>> = {
  Chromium: {
    variable: 'MEMLAYER_CHROMIUM',
    paths: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
    packages: 'chromium',
  },
  Firefox: {
    variable: 'MEMLAYER_FIREFOX',
    paths: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
    packages: 'firefox-esr',
  },
  // The driver starts the browser, which needs a screen. Xvfb is a screen in memory.
  WebKitGTK: {
    variable: 'MEMLAYER_WEBKIT_DRIVER',
    paths: ['/usr/bin/WebKitWebDriver'],
    packages: 'webkit2gtk-driver xvfb',
  },
}

/** The part of a test's context that skips the test. */
export interface SkippingContext {
  skip(note?: string): never
}

/** Returns the path of an engine's program, or `null`. Looks at its variable if that is set, else at known paths. */
export function findProgram(name: EngineName): string | null {
  const { variable, paths } = programs[name]
  const asked = process.env[variable]
  const found = (asked === undefined ? paths : [asked]).find(isRunnable) ?? null
  return name === 'WebKitGTK' && !isRunnable(xvfb) ? null : found
}

/** Returns the path of an engine's program, or skips the test with the install command. In CI it fails the test. */
export function requireProgram(name: EngineName, context: SkippingContext): string {
  const path = findProgram(name)
  if (path !== null) return path
  const note = `needs ${name}: apt-get install --no-install-recommends ${programs[name].packages}`
  if (process.env['CI'] === 'true') throw new Error(note)
  return context.skip(note)
}

/** The path of the screen in memory. */
export const xvfb = '/usr/bin/Xvfb'

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
