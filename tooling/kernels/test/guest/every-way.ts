// A file of tests that uses vitest in every way that tests of os-linux may: tests that pass, fail and are skipped,
// by each function that declares them. guest.test.ts runs it by vitest and by the machines' runner, and compares.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, test, vi } from 'vitest'

const steps: string[] = []

it('passes', () => expect(steps).toEqual([]))
it('fails', () => expect({ a: 1, b: 2 }).toEqual({ a: 1, b: 3 }))
// oxlint-disable-next-line vitest/valid-expect -- toBeOdd is not a matcher
it('fails by a matcher that is not there', () => (expect(1) as unknown as { toBeOdd(): void }).toBeOdd())
it('fails by a promise', async () => expect(Promise.resolve(1)).resolves.toBe(2))
it('fails by too few assertions', () => expect.assertions(1))
it('fails without assertions', () => expect.hasAssertions())
it('passes with as many assertions as it says', () => {
  expect.assertions(2)
  expect([1, 2, 3]).toHaveLength(3)
  expect(() => {
    throw new RangeError('too large')
  }).toThrow(/large/)
})
it.fails('fails as it should', () => expect(1).toBe(2))
it.fails('passes, and should not', () => expect(1).toBe(1))
// oxlint-disable-next-line vitest/warn-todo -- one of the ways
it.todo('is not written')
// oxlint-disable-next-line vitest/no-disabled-tests -- one of the ways
it.skip('is left out', () => expect(1).toBe(2))
it.skipIf(true)('is skipped by a condition', () => expect(1).toBe(2))
it.skipIf(false)('is not skipped', () => expect(1).toBe(1))
it.runIf(false)('is not run', () => expect(1).toBe(2))
it('skips itself', (context) => context.skip('needs another kernel'))
it('skips itself by a condition', ({ skip }) => {
  skip(false, 'is not why')
  skip(steps.length === 0, 'needs steps')
})

it.each([1, '7', undefined, NaN, -0])('takes %s as %j', (value) => expect(value).toBe(1))
it.each([
  ['a', 1],
  ['b', 2],
])('takes %s and %d, number %#, with 100%%', (name, n) => expect(name).toBe(n === 1 ? 'a' : 'c'))
it.each([{ size: 1, deep: { name: 'x' } }])('takes $size and $deep.name', ({ size }) => expect(size).toBe(1))
it.skipIf(false).each([1, 2])('takes %i if it is not skipped', (n) => expect(n).toBe(1))
it.skipIf(true).each([1, 2])('takes %i if it is skipped', (n) => expect(n).toBe(1))
it.runIf(true).for([[1, 2]])('takes the row %o', ([a, b], context) => context.expect([a, b]).toEqual([1, 2]))
test.for(['one'])('is a test called %s', (name) => expect(name).toBe('one'))

describe('a suite', () => {
  beforeAll(() => void steps.push('beforeAll'))
  beforeEach(() => void steps.push('beforeEach'))
  afterEach(() => void steps.push('afterEach'))
  afterAll(() => void steps.push('afterAll'))
  it('runs its hooks before a test', () => {
    onTestFinished(() => void steps.push('onTestFinished'))
    expect(steps).toEqual(['beforeAll', 'beforeEach'])
  })
  describe('in a suite', () => {
    it('runs the hooks of both', () => {
      expect(steps).toEqual(['beforeAll', 'beforeEach', 'afterEach', 'onTestFinished', 'beforeEach'])
    })
  })
})
it('runs after the hooks of a suite', () => expect(steps.at(-1)).toBe('afterAll'))

describe.skipIf(true)('a skipped suite', () => {
  it('is skipped with it', () => expect(1).toBe(2))
})
describe.each([1, 2])('suite %i', (n) => {
  it('takes its number', () => expect(n).toBe(1))
})
describe.skipIf(false).each([[3, 'three']])('suite %i, %s', (n, name) => {
  it('takes its row', () => expect([n, name]).toEqual([3, 'three']))
})
describe('a suite with a broken hook', () => {
  beforeAll(() => {
    throw new Error('the hook is broken')
  })
  it('has a test', () => expect(1).toBe(1))
})

it('waits', async () => {
  let calls = 0
  await vi.waitFor(() => expect((calls += 1)).toBe(3), { timeout: 10_000, interval: 1 })
})
it('polls', async () => {
  let calls = 0
  await expect.poll(() => (calls += 1), { interval: 1 }).toBe(3)
})
it('mocks', () => {
  const mock = vi.fn<(n: number) => number>((n) => n + 1)
  expect([mock(1), mock(2)]).toEqual([2, 3])
  expect(mock).toHaveBeenLastCalledWith(2)
})
it('matches in part', () => {
  const error = Object.assign(new Error('no memory'), { code: 'E1', errno: 12 })
  expect(() => {
    throw error
  }).toThrow(expect.objectContaining({ code: 'E1', message: expect.stringMatching(/^no/) as string }))
  expect(error).toMatchObject({ errno: expect.any(Number) as number })
})
