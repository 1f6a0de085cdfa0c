// Lists every benchmark in the order of the page.
import type { Benchmark } from '../benchmark.js'
import { elements, hugePages } from './access.js'
import { calls } from './calls.js'
import { engineOwned } from './engine-owned.js'
import { giveBack } from './give-back.js'
import { growth } from './growth.js'
import { heap } from './heap.js'
import { idleUsed, pool } from './idle.js'
import { broker, pageCache } from './in-out.js'
import { scavengerShare, spiral } from './limit.js'
import { populate } from './populate.js'
import { append, beside, reset, scans, viewedGrowth } from './programs.js'
import { ranges } from './ranges.js'
import { resident } from './resident.js'
import { smallObjects } from './small-objects.js'
import { start } from './start.js'
import { valueCache } from './value-cache.js'

export const benchmarks: readonly Benchmark[] = [
  ...calls,
  giveBack,
  idleUsed,
  pool,
  spiral,
  scavengerShare,
  ranges,
  heap,
  growth,
  scans,
  reset,
  append,
  viewedGrowth,
  beside,
  pageCache,
  broker,
  valueCache,
  elements,
  hugePages,
  populate,
  resident,
  engineOwned,
  smallObjects,
  start,
]
