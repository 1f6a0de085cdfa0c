// What the errors of views that can't end say: which view, why, and what to do.
import { describe, expect, it } from 'vitest'
import { madeAnew, notDetachable, wasMoved } from '../src/borrows/view-misuse.js'
import { errorOf } from './errors-of.js'

describe('the error of a view that can not end', () => {
  it('names the range of a view that was moved, and the way to give it back', () => {
    const error = errorOf(() => wasMoved('unused', 0x1000, 8192))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'unused', address: 0x1000, size: 8192 })
    expect(error.message).toMatch(/^unused\(0x1000, 8192\): a view .* was transferred, .*region\.reclaim\(buffer\)/)
  })

  it.each<[string, unknown, RegExp]>([
    ['says what the engine said', new TypeError('in use'), / can't be detached: in use\. /],
    ['ends it with one full stop', new Error('in use.'), / can't be detached: in use\. /],
    [
      'says nothing for an engine that said nothing',
      Object.assign(new Error('it'), { message: '' }),
      / can't be detached\. /,
    ],
    ['says nothing for what is not an error', 'in use', / can't be detached\. /],
  ])('%s, where a view can not be detached', (_, cause, words) => {
    const error = errorOf(() => notDetachable('free', { start: 0x2000, end: 0x2064 }, cause))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_VIEW', op: 'free', address: 0x2000, size: 100, cause })
    expect(error.message).toMatch(/^free: the view of 100 bytes at 0x2000 can't/)
    expect(error.message).toMatch(words)
  })

  it('tells of code that makes views again and again', () => {
    const error = errorOf(() => madeAnew('fault', 0x1000, 4096))
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_STATE', op: 'fault', address: 0x1000, size: 4096 })
    expect(error.message).toMatch(/^fault\(0x1000, 4096\): code that runs/)
  })
})
