// @memlayer/engines runs a module's text on another JavaScript engine than the test's own.
export {
  engineNames,
  findEngine,
  requireEngine,
  runModule,
  type Engine,
  type EngineName,
  type SkippingContext,
} from './engines.js'
