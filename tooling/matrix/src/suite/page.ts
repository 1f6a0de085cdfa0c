// Runs the suite in a browser, in a page or in a worker, and puts the promise of its outcome into a global variable.
import { historyCase } from './history.js'
import { lifeCases } from './life.js'
import { runCases } from './run.js'
import { viewCases } from './views.js'
import { webCases } from './web.js'
import type { Outcome } from './case.js'

const host = globalThis as { memlayerSeed?: number; memlayerOutcome?: Promise<Outcome> }
const cases = [...lifeCases, ...viewCases, ...webCases, historyCase(host.memlayerSeed ?? 1)]
host.memlayerOutcome = runCases(cases, '', null)
