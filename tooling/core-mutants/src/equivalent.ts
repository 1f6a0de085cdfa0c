// Mutants that no test can tell from the right code, each with the reason. They do not count in the score.

import { equalsOfRetired } from './equivalent-retired.js'

/** Changes in one place, and why the code is as right with each of them. */
export interface Equals {
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
    where: 'borrows/borrows.ts Borrows.end',
    why: 'A shortcut. Without offers there is nothing to revoke, and the views are asked again when they end.',
    changes: ['offers !== null -> true'],
  },
  {
    where: 'borrows/range-index.ts RangeIndex.delete',
    why: 'Both ways to keep entries find the same ones. It costs a look into a map where a list would do.',
    changes: ['this.#levels = null -> nothing'],
  },
  {
    where: 'borrows/range-index.ts RangeIndex.touching',
    why: 'It looks into one granule more, or takes the other of two ways to the same entries.',
    changes: ['1 -> 2', 'end - 1 -> (end) + (1)', 'last - first > level.size -> (last - first) >= (level.size)'],
  },
  {
    where: 'borrows/range-index.ts RangeIndex.#drop',
    why: 'The place behind the last entry holds none, and one that is left there is read by nothing.',
    changes: ['i < this.#listed -> (i) <= (this.#listed)', 'list[last] = null -> nothing'],
  },
  {
    where: 'borrows/range-index.ts spanFor',
    why: 'An empty span is found by no operation. It takes its memory until the granule is empty.',
    changes: ['!isMade -> false'],
  },
  {
    where: 'borrows/range-index.ts deleteFrom',
    why: 'An empty span is found by no operation. It takes its memory until the granule is empty.',
    changes: ['false -> true'],
  },
  {
    where: 'borrows/range-index.ts dropSpan',
    why: 'An empty span is found by no operation. It takes its memory until the granule is empty.',
    changes: ['at !== undefined -> (at) === (undefined)', 'at.next = span.next -> nothing'],
  },
  {
    where: 'borrows/reclaim.ts isOver',
    why: 'A second try, for a thread that writes the same byte just then. One thread alone can not tell.',
    changes: ['[0x55, 0xaa].every((mask) => { ours[at] = bef… -> [0x55, 0xaa].some((mask) => { ours[at] = befo…'],
  },
  {
    where: 'borrows/shares.ts Shares',
    why: 'A number that has to differ from the one before. Which one it is says nothing.',
    changes: ['0 -> 1'],
  },
  {
    where: 'borrows/shares.ts Shares.#add',
    why: 'A number that has to differ from the one before. Which one it is says nothing.',
    changes: ['this.version + 1 -> (this.version) - (1)'],
  },
  {
    where: 'borrows/shares.ts ',
    why: 'How many or how long is a choice. One more is as right, and no promise names the number.',
    changes: ['200 -> 201'],
  },
  {
    where: 'borrows/worker.ts ',
    why: 'No thread has the number -2 either.',
    changes: ['1 -> 2'],
  },
  {
    where: 'limit/limit.ts MemoryLimit',
    why: 'It is set before anything reads it.',
    changes: ['0 -> 1', '-Infinity -> Infinity (2)'],
  },
  {
    where: 'limit/limit.ts MemoryLimit.#makeRoom',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['left > 0 -> true'],
  },
  {
    where: 'limit/pressure.ts ',
    why: 'The entry of the level that asks for nothing, because it is not asked about.',
    changes: ['0 -> 1'],
  },
  {
    where: 'scavenge/idle.ts Idle',
    why: 'Turns are compared, and their first number says nothing.',
    changes: ['1 -> 2'],
  },
  {
    where: 'scavenge/idle.ts Idle.nextTurn',
    why: '2^30 turns of a tenth of a second are three years.',
    changes: ['this.#turn < turnsMax -> true'],
  },
  {
    where: 'scavenge/idle.ts Idle.within',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['this.#bytes === 0 -> false'],
  },
  {
    where: 'scavenge/idle.ts Idle.#forget',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['!turns.reaches(v, n) -> true'],
  },
  {
    where: 'scavenge/idle.ts Idle.recount',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1'],
  },
  {
    where: 'scavenge/scavenger.ts Scavenger.#sleep',
    why: 'A step without idle pages finds nothing, and sets no timer.',
    changes: ['this.#memory.idle.bytes > 0 -> true', 'this.#memory.idle.bytes > 0 -> (this.#memory.idle.bytes) >= (0)'],
  },
  {
    where: 'scavenge/scavenger.ts Scavenger.#bytesByTurn',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1'],
  },
  {
    where: 'scavenge/scavenger.ts Scavenger.#release',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1 (2)'],
  },
  {
    where: 'scavenge/scavenger.ts Scavenger.#batch',
    why: 'Sums of bytes are whole pages, so none of them is 1.',
    changes: ['0 -> 1 (2)'],
  },
  {
    where: 'scavenge/scavenger.ts Scavenger.#batch',
    why: 'A batch that is full takes nothing of the ranges behind it, so the walk goes on in vain.',
    changes: [
      'bytes < Math.min(most, batchBytes) -> (bytes) <= (Math.min(most, batchBytes))',
      'Math.min(most, batchBytes) -> Math.max(most, batchBytes) (2)',
    ],
  },
  {
    where: 'mappings/huge-pages.ts HugePages.#ask',
    why: 'A shortcut. A huge page of 0 bytes has no places, which compare as false.',
    changes: ['huge === 0 -> false', '0 -> 1'],
  },
  {
    where: 'mappings/mapping-budget.ts MappingBudget.mapped',
    why: 'Where nothing bounds mappings, the next count says so again and costs nothing.',
    changes: ['unbounded / 2 -> (unbounded) * (2)'],
  },
  {
    where: 'account/account.ts Account',
    why: 'It is set before anything reads it.',
    changes: ['0 -> 1 (3)'],
  },
  {
    where: 'account/account.ts Account.categoryOf',
    why: 'No code has the stat of place 0.',
    changes: ['place > 0 -> (place) >= (0)'],
  },
  {
    where: 'account/account.ts Account.categoryOf',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['this.#lastStat = stat -> nothing'],
  },
  {
    where: 'borrows/views.ts Views.#forget',
    why: 'No page has that number, so none is found for it.',
    changes: ['1 -> 2'],
  },
  {
    where: 'borrows/views.ts Views.#age',
    why: 'Every view of a job then waits for its end, and all but the first find nothing to do.',
    changes: ['this.#willAge = true -> nothing'],
  },
  {
    where: 'account/account.ts Account.expectBudget',
    why: 'Where there is no limit nothing passes it, whatever is Ready.',
    changes: ['limit === Infinity -> false', '0 -> 1'],
  },
  {
    where: 'ledger/ledger.ts Ledger',
    why: 'Room for a category more. There is more room when it is used up.',
    changes: ['64 -> 65'],
  },
  {
    where: 'ledger/ledger.ts Ledger.force',
    why: 'The version is another one after each change. Which one it is says nothing.',
    changes: ['0 -> 1 (4)'],
  },
  {
    where: 'ledger/ledger.ts Ledger.#set',
    why: 'The version is another one after each change. Which one it is says nothing.',
    changes: ['0 -> 1'],
  },
  {
    where: 'ledger/ledger.ts Ledger.assign',
    why: 'A shortcut. What comes after it does the same, part by part.',
    changes: ['packed !== MIXED -> false'],
  },
  {
    where: 'ledger/ledger.ts Ledger.expectCategory',
    why: 'A shortcut. What comes after it does the same, part by part.',
    changes: ['packed !== MIXED && (categoryOf(packed) === 0… -> false'],
  },
  {
    where: 'ledger/audit.ts faultInSums',
    why: 'A store beyond the end of a typed array does nothing.',
    changes: ['0 -> 1 (2)'],
  },
]

/** The reason of each equivalent mutant, by its name. */
export const equivalent: ReadonlyMap<string, string> = new Map(
  [...equals, ...equalsOfRetired].flatMap(({ where, why, changes }) =>
    changes.map((change) => [`${where}: ${change}`, why] as const),
  ),
)
