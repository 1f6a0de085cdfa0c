// @memlayer/browser runs the workspace's modules in real browsers, for tests.
import { openChromium } from './chromium.js'
import type { Engine } from './engine.js'
import { openFirefox } from './firefox.js'
import type { EngineName, SkippingContext } from './programs.js'
import { openWebKit } from './webkit.js'

export { bundle } from './bundle.js'
export { openBrowser, type Browser, type ChromiumTab } from './chromium.js'
export { runModule, type Engine, type Outcome, type RunOptions, type Tab } from './engine.js'
export { findProgram, requireProgram, type EngineName, type SkippingContext } from './programs.js'
export { serve, type ServeOptions, type Site } from './serve.js'

/** Starts an engine for a test. Without its program it skips the test, or fails it in CI. */
export const openEngine: Readonly<Record<EngineName, (context: SkippingContext) => Promise<Engine>>> = {
  Chromium: openChromium,
  Firefox: openFirefox,
  WebKitGTK: openWebKit,
}
