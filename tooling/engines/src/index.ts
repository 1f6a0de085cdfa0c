// @memlayer/engines: a module's text on another JavaScript engine than the one that tests.
export {
  engineNames,
  findEngine,
  requireEngine,
  runModule,
  type Engine,
  type EngineName,
  type SkippingContext,
} from './engines.js'
