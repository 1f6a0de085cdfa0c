// The suite in a browser's page, which finds what came of it in a variable of its own.
import { historyCase } from './history.js'
import { lifeCases } from './life.js'
import { runCases } from './run.js'
import { viewCases } from './views.js'
import type { Outcome } from './case.js'

const page = globalThis as { memlayerSeed?: number; memlayerOutcome?: Promise<Outcome> }
page.memlayerOutcome = runCases([...lifeCases, ...viewCases, historyCase(page.memlayerSeed ?? 1)], '', null)
