// Runs the suite in a browser's page, and puts the promise of its outcome into a global variable.
import { historyCase } from './history.js'
import { lifeCases } from './life.js'
import { runCases } from './run.js'
import { viewCases } from './views.js'
import type { Outcome } from './case.js'

const page = globalThis as { memlayerSeed?: number; memlayerOutcome?: Promise<Outcome> }
page.memlayerOutcome = runCases([...lifeCases, ...viewCases, historyCase(page.memlayerSeed ?? 1)], '', null)
