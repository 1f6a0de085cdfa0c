// Drives Debian's WebKitGTK, which has the engine of Safari. WebKitWebDriver starts the browser on a screen in memory
// and speaks WebDriver over HTTP: https://www.w3.org/TR/webdriver2. Five of its requests are enough here.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pageLifeMsMax, recorded, type Engine, type Tab } from './engine.js'
import { requireProgram, xvfb, type SkippingContext } from './programs.js'

/** The start of the driver may take this long, in ms. */
const startMsMax = 20_000

/** Sends one request to the driver. @throws Error with the driver's message. */
type Ask = (method: string, path: string, body?: object) => Promise<unknown>

/** Starts a WebKitGTK for a test. It has one tab at a time. Without one it skips the test, or fails it in CI. */
export async function openWebKit(context: SkippingContext): Promise<Engine> {
  const program = requireProgram('WebKitGTK', context)
  const started: ChildProcess[] = []
  const stop = (): void => started.forEach((child) => child.kill())
  // A test process that ends early must not leave them behind.
  process.once('exit', stop)
  const end = async (): Promise<void> => {
    process.off('exit', stop)
    const ends = started.filter(({ exitCode }) => exitCode === null).map((child) => once(child, 'exit'))
    stop()
    await Promise.all(ends)
  }
  try {
    const display = await startScreen(started)
    const ask = await startDriver(program, display, started)
    const timeouts = { script: pageLifeMsMax, pageLoad: pageLifeMsMax }
    const session = (await ask('POST', '/session', { capabilities: { alwaysMatch: { timeouts } } })) as Session
    const inSession: Ask = (method, path, body) => ask(method, `/session/${session.sessionId}${path}`, body)
    return {
      version: `WebKitGTK ${session.capabilities.browserVersion}`,
      open: (url) => openTab(inSession, url),
      async [Symbol.asyncDispose](): Promise<void> {
        await inSession('DELETE', '')
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

interface Session {
  readonly sessionId: string
  readonly capabilities: { readonly browserVersion: string }
}

async function openTab(ask: Ask, url: string): Promise<Tab> {
  const evaluate = async (expression: string): Promise<unknown> => {
    const script = `const done = arguments[0]
      new Promise((resolve) => resolve(${expression}))
        .then((value) => done({ value }), (error) => done({ error: error + '\\n' + (error?.stack ?? '') }))`
    const answer = (await ask('POST', '/execute/async', { script, args: [] })) as { value?: unknown; error?: string }
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.value
  }
  await ask('POST', '/url', { url })
  return {
    evaluate,
    // The driver has no events. The served pages record by themselves.
    complaints: () => evaluate(recorded) as Promise<string[]>,
    [Symbol.asyncDispose]: async () => void (await ask('POST', '/url', { url: 'about:blank' })),
  }
}

/** Starts a screen in memory, and returns its name once it takes clients: `:0`. */
async function startScreen(started: ChildProcess[]): Promise<string> {
  const args = ['-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp']
  const screen = spawn(xvfb, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  started.push(screen)
  const ended = once(screen, 'exit').then(([code]) => Promise.reject(new Error(`${xvfb} ended with ${String(code)}`)))
  const [number] = (await Promise.race([once(screen.stdout.setEncoding('utf8'), 'data'), ended])) as [string]
  // Its later end is not an error.
  ended.catch(() => undefined)
  return `:${number.trim()}`
}

async function startDriver(program: string, display: string, started: ChildProcess[]): Promise<Ask> {
  const port = await freePort()
  const env = {
    ...process.env,
    DISPLAY: display,
    // The sandbox of its web processes does not start as root or in most containers.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    // Without a language it is the language 'C', which Intl refuses.
    LANG: 'en_US.UTF-8',
    LC_ALL: 'en_US.UTF-8',
    // Safari has SharedArrayBuffer in pages that are isolated. WebKitGTK has it only when it is told.
    JSC_useSharedArrayBuffer: '1',
  }
  const driver = spawn(program, [`--port=${port}`], { env, stdio: 'ignore' })
  started.push(driver)
  const ask: Ask = async (method, path, body) => {
    const sent = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, sent)
    const { value } = (await response.json()) as { value: unknown }
    if (response.ok) return value
    const { error, message } = value as { error: string; message: string }
    throw new Error(`WebKitWebDriver, ${method} ${path}: ${error}: ${message}`)
  }
  for (const until = performance.now() + startMsMax; ;) {
    try {
      await ask('GET', '/status')
      return ask
    } catch (error) {
      if (driver.exitCode !== null || performance.now() > until) throw error
      await sleep(20)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
