// @memlayer/browser runs the workspace's modules in a real browser, for tests.
export { openBrowser, type Browser, type Outcome, type RunOptions, type Tab } from './browser.js'
export { bundle } from './bundle.js'
export { openFirefox, type Firefox } from './firefox.js'
export { findChromium, requireChromium, type SkippingContext } from './chromium.js'
export { serve, type ServeOptions, type Site } from './serve.js'
