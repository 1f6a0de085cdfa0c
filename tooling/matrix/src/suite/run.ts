// Runs cases one after the other, and returns their outcome.
import { memory } from 'memlayer'
import type { Case, Outcome } from './case.js'

/** Runs the cases. `runtime` and `engine` (of the foreign calls) go into the outcome. */
export async function runCases(cases: readonly Case[], runtime: string, engine: string | null): Promise<Outcome> {
  const passed: string[] = []
  const failed: { title: string; message: string }[] = []
  for (const { title, run } of cases) {
    try {
      await run()
      passed.push(title)
    } catch (error) {
      failed.push({ title, message: String((error as Error | undefined)?.stack ?? error) })
    }
  }
  const { backend, how, reason } = memory.choice
  return { runtime, backend, how, reason, os: memory.os.name, engine, passed, failed }
}
