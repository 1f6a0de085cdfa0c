// Mutants that no test can tell from the right code, each with the reason. They do not count in the score.

/** Mutants by their names, and why they are as right as the code itself. */
interface Equals {
  readonly why: string
  readonly names: readonly string[]
}

const equals: readonly Equals[] = [
  {
    why: 'The shortcut of both checks. The checks after it decide the same where it does not.',
    names: [
      'check.ts checkRange: Number.isSafeInteger(n) && n >= least && Number.isInteger(v) && v >= 0 && v + n <= address… -> false',
      'check.ts checkRange: n >= least -> (n) > (least)',
      'check.ts checkRange: v >= 0 -> (v) > (0)',
      'check.ts checkRange: 0 -> 1',
      'check.ts checkRange: v + n <= addressEnd -> (v + n) < (addressEnd)',
      'check.ts checkRange: isAligned(n, align) && isAligned(v, align) -> false',
    ],
  },
  {
    why: 'A range at 0 ends below 2^54, so it is never the one that ends beyond 2^64.',
    names: ['check.ts wrongAddress: v >= 0 -> (v) > (0)', 'check.ts wrongAddress: 0 -> 1'],
  },
  {
    why: 'A store beyond the end of a typed array does nothing.',
    names: [
      'ledger/ledger.ts Ledger.forgetPeak: category < this.#peaks.length -> true',
      'ledger/ledger.ts Ledger.forgetPeak: category < this.#peaks.length -> (category) <= (this.#peaks.length)',
    ],
  },
  {
    why: 'A shortcut: the map says the same of the first byte.',
    names: ['ledger/ledger.ts Ledger.categoryOf: packed !== MIXED -> false'],
  },
  {
    why: 'Two bits have four values, and each has a name. The types do not know.',
    names: ["ledger/states.ts : stateNames[stateOf(packed)] ?? 'None' -> stateNames[stateOf(packed)]"],
  },
]

/** The reason of each equivalent mutant, by its name. */
export const equivalent: ReadonlyMap<string, string> = new Map(
  equals.flatMap(({ why, names }) => names.map((name) => [name, why] as const)),
)
