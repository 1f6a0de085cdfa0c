// The tasks of a page's main thread, by their computing time. The browser's observer of long tasks counts wall time,
// in which this machine may have run other programs. Both are printed; the tests check the computing time.
import type { Page } from 'playwright-core'

/** The longest task, in milliseconds. */
export interface Longest {
  /** Processor time. */
  readonly computed: number
  /** Wall time. */
  readonly took: number
}

interface Event {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly dur?: number
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

/** The longest task while `act` runs. */
export async function longestTask(page: Page, act: () => Promise<void>): Promise<Longest> {
  const browser = page.context().browser()
  if (browser === null) throw new Error('the page has no browser')
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] })
  await act()
  // The trace gets a task when it has ended, which may be after its answer arrived.
  await page.waitForTimeout(200)
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: Event[] }
  const threadOf = ({ pid, tid }: Event): string => `${pid} ${tid}`
  const main = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(threadOf),
  )
  const tasks = traceEvents.filter((event) => event.name === 'RunTask' && event.ph === 'X' && main.has(threadOf(event)))
  if (tasks.length === 0) throw new Error('the trace has no tasks')
  const longest = (key: 'dur' | 'tdur'): number =>
    Math.round(tasks.reduce((most, task) => Math.max(most, task[key] ?? 0), 0) / 100) / 10
  return { computed: longest('tdur'), took: longest('dur') }
}
