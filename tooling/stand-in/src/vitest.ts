// @memlayer/stand-in/vitest: the tests that the POSIX backends have in common.
export { testFailures, type FailingBackend } from './failures.js'
export {
  expectMapRefused,
  statesOf,
  testElsewhere,
  testKeptMemory,
  testMisuse,
  testRefusals,
  testUnknownError,
  type MapRefusal,
  type RefusedBackend,
} from './refusals.js'
export {
  expectAdvice,
  expectBareReservation,
  expectWholeLife,
  testCopies,
  testFault,
  testWithoutLedger,
  type RealBackend,
} from './real-pages.js'
