// Tests which mutants a piece of source has, and that the instrumented source runs each of them alone.
import { instrument, mutantsIn, sample, tableOfEqual, type Mutant } from '@memlayer/core-mutants'
import { describe, expect, it } from 'vitest'

/** The changes of a source, as `from -> to`. */
function changes(text: string): string[] {
  return mutantsIn('a.ts', text).map(({ name }) => name.replace(/^a\.ts [^:]*: /, ''))
}

/** Runs a function's source with one mutant on; null: none. */
function run(text: string, on: string | null, ...given: readonly unknown[]): unknown {
  const mutants = mutantsIn('a.js', text)
  const chosen = new Map<Mutant, number>(mutants.map((mutant, at) => [mutant, at]))
  const place = globalThis as { memlayerMutant?: (mutant: number) => boolean }
  if (on !== null) expect(mutants.map(({ name }) => name)).toContain(on)
  place.memlayerMutant = (asked) => mutants[asked]?.name === on
  try {
    // oxlint-disable-next-line no-eval
    const made = (0, eval)(`(() => { ${instrument('a.js', text, chosen)}\nreturn f })()`) as (
      ...args: unknown[]
    ) => unknown
    return made(...given)
  } finally {
    delete place.memlayerMutant
  }
}

describe('mutantsIn', () => {
  it('finds both ends of a condition, its comparison and its constant', () => {
    expect(changes('if (a < 1) b()')).toEqual([
      'a < 1 -> true',
      'a < 1 -> false',
      'a < 1 -> (a) <= (1)',
      '1 -> 2',
      'b() -> nothing',
    ])
  })

  it('leaves loops their end: a condition of a loop is only made false', () => {
    expect(changes('while (a) b++')).toEqual(['a -> false', 'b++ -> nothing', 'b++ -> b--'])
  })

  it('changes no type, no import, no text and no constant of the types', () => {
    const text = [
      "import a from 'x'",
      'type T = { n: 1; m: true; (v: 0 | 1): void }',
      "let t: [1, 2] | undefined = 'x' + y",
      'const one = 1 as const',
      'function g<U extends 1>(this: 3, u: U): asserts u is 1',
    ].join('\n')
    expect(changes(text)).toEqual([])
  })

  it('returns at once only from functions without a result, and names methods by their class', () => {
    const text = 'class A { #m() { this.b = c\n d(e) }\n n() { f()\n return g } }'
    expect(mutantsIn('a.ts', text).map(({ operator, name }) => [operator, name])).toEqual([
      ['body', 'a.ts A.#m: { this.b = c d(e) } -> nothing'],
      ['statement', 'a.ts A.#m: this.b = c -> nothing'],
      ['statement', 'a.ts A.#m: d(e) -> nothing'],
      ['statement', 'a.ts A.n: f() -> nothing'],
    ])
  })

  it('numbers changes that have the same name, so that each name is of one mutant', () => {
    expect(changes('a = !b\nc = !b')).toEqual(['a = !b -> nothing', '!b -> b', 'c = !b -> nothing', '!b -> b (2)'])
  })

  it('says which file has a syntax error', () => {
    expect(() => mutantsIn('a.ts', 'if (')).toThrow(/^a\.ts has a syntax error/)
  })
})

describe('instrument', () => {
  const text = [
    'function f(n) {',
    '  let sum = n',
    '  for (const at of [1, 2]) {',
    '    if (!(n > 2)) continue',
    '    sum += at',
    '  }',
    '  sum++',
    '  return Math.min(sum, 10)',
    '}',
  ].join('\n')

  it('runs the source as it was while no mutant is on', () => {
    expect([0, 3, 9].map((n) => run(text, null, n))).toEqual([1, 7, 10])
  })

  it.each([
    ['a.js f: [1, 2] -> []', 4],
    ['a.js f: 1 -> 2', 8],
    ['a.js f: !(n > 2) -> true', 4],
    ['a.js f: !(n > 2) -> (n > 2)', 4],
    ['a.js f: sum += at -> nothing', 4],
    ['a.js f: sum += at -> sum -= at', 1],
    ['a.js f: sum++ -> sum--', 5],
    ['a.js f: sum++ -> nothing', 6],
    ['a.js f: Math.min(sum, 10) -> Math.max(sum, 10)', 10],
  ])('runs one mutant alone: %s', (name, result) => {
    expect(run(text, name, 3)).toBe(result)
  })

  it('keeps lines without a semicolon apart', () => {
    const lines = 'function f(a) {\n  const b = a\n  a += 1\n  ;[a] = [b]\n  return a\n}'
    expect(run(lines, null, 5)).toBe(5)
    expect(run(lines, 'a.js f: [a] = [b] -> nothing', 5)).toBe(6)
  })
})

describe('sample', () => {
  const many = Array.from({ length: 100 }, (_, at) => at)

  it('chooses the same ones for the same seed, in their order', () => {
    const chosen = sample(many, 10, 7)
    expect(chosen).toHaveLength(10)
    expect(chosen).toEqual(chosen.toSorted((a, b) => a - b))
    expect(sample(many, 10, 7)).toEqual(chosen)
    expect(sample(many, 10, 8)).not.toEqual(chosen)
  })

  it('chooses all where there are not more', () => {
    expect(sample(many, 1000, 1)).toEqual(many)
  })
})

describe('the table of mutants that no test can tell', () => {
  it('has a row for each reason in a module, with its places and how many they are', () => {
    const reasons = new Map([
      ['limit/limit.ts Limit.take: a < b -> true', 'It is a shortcut.'],
      ['check.ts checkRange: 0 -> 1', 'It is a shortcut.'],
      ['check.ts checkRange: 1 -> 2', 'It is a shortcut.'],
      ['check.ts : 3 -> 4', 'It is a shortcut.'],
    ])
    expect(tableOfEqual(reasons).split('\n').slice(2)).toEqual([
      '| check | `checkRange`, a constant of check | 3 | It is a shortcut. |',
      '| limit | `Limit.take` | 1 | It is a shortcut. |',
    ])
  })
})
