// The mutants of core's room `retired` that no test can tell from the right code, each with the reason.
import type { Equals } from './equivalent.js'

export const equalsOfRetired: readonly Equals[] = [
  {
    where: 'retired/retired.ts ',
    why: 'A kind has a number that no other has. Which one it is says nothing.',
    changes: ['3 -> 4'],
  },
  {
    where: 'retired/retired.ts ',
    why: 'An OS that spares no page keeps none, be it 0 bytes that it spares or 1.',
    changes: ['0 -> 1', '0 -> 1 (2)'],
  },
  {
    where: 'retired/retired.ts Retired',
    why: 'Room for a kind more, which no range has.',
    changes: ['1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired',
    why: 'A sweep that begins at 1 finds the range at 0, and no request is for 1 byte.',
    changes: ['0 -> 1 (2)', '0 -> 1 (3)'],
  },
  {
    where: 'retired/retired.ts Retired.ranges',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1'],
  },
  {
    where: 'retired/retired.ts Retired.see',
    why: 'Any number but 0 says that a page was seen.',
    changes: ['1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.hasSeen',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['seen.size === 1 -> false', '1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.forget',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['this.hasSeen(v, n) -> true'],
  },
  {
    where: 'retired/retired.ts Retired.reserve',
    why: 'Ranges begin at whole pages, which are multiples of 2 as well.',
    changes: ['1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.reserve',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['n > this.#largestCooled -> false'],
  },
  {
    where: 'retired/retired.ts Retired.alloc',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['n > this.#largestCooled -> false'],
  },
  {
    where: 'retired/retired.ts Retired.#allocCooled',
    why: 'Ranges begin at whole pages, which are multiples of 2 as well.',
    changes: ['1 -> 2'],
  },
  {
    where: 'retired/retired.ts Retired.release',
    why: 'Sums of bytes are whole pages, so none of them is 1.',
    changes: ['0 -> 1 (2)'],
  },
  {
    where: 'retired/retired.ts Retired.recount',
    why: 'Room for a kind more, and a sum of what is not retired, which nothing reads.',
    changes: ['1 -> 2', 'kinds.value !== 0 -> true'],
  },
  {
    where: 'retired/retired.ts Retired.recount',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1'],
  },
  {
    where: 'retired/retired.ts Retired.#take',
    why: 'The bound is not below the largest range either way. One that is too high costs a search in vain.',
    changes: ['0 -> 1', 'end - start -> (end) + (start)', 'this.#largestCooled = largest -> nothing'],
  },
  {
    where: 'retired/retired.ts Retired.#take',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1 (2)'],
  },
  {
    where: 'retired/retired.ts Retired.#coolFirst',
    why: 'The bound is not below the largest range either way. One that is too high costs a search in vain.',
    changes: ['this.#kinds.end - this.#kinds.start -> (this.#kinds.end) + (this.#kinds.start)'],
  },
  {
    where: 'retired/retired.ts Retired.#age',
    why: 'Where the queue is empty nothing is in quarantine, and then what is retired beyond the space has cooled.',
    changes: ['queue.length > 0 -> (queue.length) >= (0)', 'this.#of(COOLED) > 0 -> (this.#of(COOLED)) >= (0)'],
  },
  {
    where: 'retired/retired.ts Retired.#age',
    why: 'Sums of bytes are whole pages, so none of them is 1.',
    changes: ['0 -> 1 (2)'],
  },
  {
    where: 'retired/retired.ts Retired.#age',
    why: 'How many or how long is a choice. One more is as right, and no promise names the number.',
    changes: ['queue.length > queuedMax -> (queue.length) >= (queuedMax)'],
  },
  {
    where: 'retired/retired.ts Retired.#releaseCooled',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1'],
  },
  {
    where: 'retired/retired.ts Retired.#runsFrom',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1'],
  },
  {
    where: 'retired/lingering.ts Lingering.take',
    why: 'A shortcut. What comes after it finds the same.',
    changes: ['this.#bytes === 0 -> false', '0 -> 1'],
  },
  {
    where: 'retired/lingering.ts Lingering.reset',
    why: 'Where the queue is empty nothing lingers, and one range alone is never too much.',
    changes: ['this.#queue.length > 0 -> (this.#queue.length) >= (0)', '0 -> 1 (2)'],
  },
  {
    where: 'retired/lingering.ts Lingering.recount',
    why: 'No range begins at the address 0, and ranges are whole pages.',
    changes: ['0 -> 1 (2)'],
  },
  {
    where: 'retired/lingering.ts Lingering.#most',
    why: 'An OS that spares no page keeps none, be it 0 bytes that it spares or 1.',
    changes: ['0 -> 1'],
  },
  {
    where: 'retired/queue.ts ',
    why: 'How many or how long is a choice. One more is as right, and no promise names the number.',
    changes: ['2 ** 14 - 1 -> (2 ** 14) + (1)', '14 -> 15', '1 -> 2'],
  },
  {
    where: 'retired/queue.ts Queue',
    why: 'The ring may begin at any of its places.',
    changes: ['0 -> 1'],
  },
  {
    where: 'retired/queue.ts Queue.#grow',
    why: 'What is copied too much lies behind the last range, where the next one overwrites it.',
    changes: ['2 -> 3 (3)'],
  },
]
