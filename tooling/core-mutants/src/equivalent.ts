// Mutants that no test can tell from the right code, each with the reason. They do not count in the score.

/** Changes in one place, and why the code is as right with each of them. */
interface Equals {
  /** The file and the function: a mutant's name up to its colon. */
  readonly where: string
  readonly why: string
  /** The rest of the names. */
  readonly changes: readonly string[]
}

const equals: readonly Equals[] = [
  {
    where: 'check.ts checkRange',
    why: 'The shortcut of both checks. The checks after it decide the same.',
    changes: [
      'Number.isSafeInteger(n) && n >= least && Numb… -> false',
      'n >= least -> (n) > (least)',
      'v >= 0 -> (v) > (0)',
      '0 -> 1',
      'v + n <= addressEnd -> (v + n) < (addressEnd)',
      'isAligned(n, align) && isAligned(v, align) -> false',
    ],
  },
  {
    where: 'check.ts wrongAddress',
    why: 'A range at 0 ends below 2^54, so it is never the one that ends beyond 2^64.',
    changes: ['v >= 0 -> (v) > (0)', '0 -> 1'],
  },
  {
    where: 'ledger/ledger.ts Ledger.forgetPeak',
    why: 'A store beyond the end of a typed array does nothing.',
    changes: [
      'category < this.#peaks.length -> true',
      'category < this.#peaks.length -> (category) <= (this.#peaks.length)',
    ],
  },
  {
    where: 'ledger/ledger.ts Ledger.categoryOf',
    why: 'A shortcut: the map says the same of the first byte.',
    changes: ['packed !== MIXED -> false'],
  },
  {
    where: 'ledger/states.ts ',
    why: 'Two bits have four values, and each has a name. The types do not know.',
    changes: ["stateNames[stateOf(packed)] ?? 'None' -> stateNames[stateOf(packed)]"],
  },
  {
    where: 'account/stats.ts statsOf',
    why: 'Each place has its category. The types do not know.',
    changes: ["categories[i + 1]?.name ?? '' -> categories[i + 1]?.name"],
  },
  {
    where: 'mappings/mapping-budget.ts MappingBudget.free',
    why: 'The credits are below 0 then, and the next operation counts anew, as at 0.',
    changes: ['this.#words[this.#credits] = 0 -> nothing'],
  },
  {
    where: 'retired/retired.ts ',
    why: 'A kind has a number that no other has. Which one it is says nothing.',
    changes: ['3 -> 4'],
  },
  {
    where: 'retired/retired.ts Retired',
    why: 'Room for a kind more, which no range has.',
    changes: ['1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.hasSeen',
    why: 'A shortcut. A map of one range holds 0 everywhere, and the lines after it find that too.',
    changes: ['seen.size === 1 -> false', '1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.reserve',
    why: 'Ranges begin at whole pages, which are multiples of 2 as well.',
    changes: ['1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.#allocCooled',
    why: 'Ranges begin at whole pages, which are multiples of 2 as well.',
    changes: ['1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.#take',
    why: 'The bound is not below the largest range either way. A bound that is too high costs a search in vain.',
    changes: ['0 -> 1', 'end - start -> (end) + (start)', 'this.#largestCooled = largest -> nothing'],
  },
  {
    where: 'retired/retired.ts Retired.#coolFirst',
    why: 'The bound is not below the largest range either way. A bound that is too high costs a search in vain.',
    changes: ['this.#kinds.end - this.#kinds.start -> (this.#kinds.end) + (this.#kinds.start)'],
  },
  {
    where: 'retired/retired.ts Retired.#age',
    why: 'Where the queue is empty nothing is in quarantine, and sums of bytes are whole pages, so none is 1.',
    changes: ['queue.length > 0 -> (queue.length) >= (0)', '0 -> 1 (2)'],
  },
  {
    where: 'retired/retired.ts Retired.#releaseCooled',
    why: 'No range ends between the addresses 0 and 1.',
    changes: ['0 -> 1'],
  },
  {
    where: 'retired/lingering.ts Lingering.take',
    why: 'A shortcut: where nothing lingers, no part of the range does.',
    changes: ['this.#bytes === 0 -> false'],
  },
  {
    where: 'retired/queue.ts Queue.#grow',
    why: 'What is copied too much lies behind the last range, where the next one overwrites it.',
    changes: ['2 -> 3 (3)'],
  },
]

/** The reason of each equivalent mutant, by its name. */
export const equivalent: ReadonlyMap<string, string> = new Map(
  equals.flatMap(({ where, why, changes }) => changes.map((change) => [`${where}: ${change}`, why] as const)),
)
