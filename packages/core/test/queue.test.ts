// Tests the queue of retired ranges: oldest first, through every place of its ring and over its growth.
import { describe, expect, it } from 'vitest'
import { Queue } from '../src/retired/queue.js'

const page = 4096

describe('the queue of retired ranges', () => {
  it('returns what was pushed, the oldest first, wherever its ring begins', () => {
    const queue = new Queue()
    let [pushed, shifted] = [0, 0]
    // The ring has 64 places at first. Its oldest range goes round them more than three times.
    for (let turn = 0; turn < 200; turn++) {
      while (queue.length < 3 + (turn % 40)) queue.push(++pushed * page, pushed)
      const count = 1 + (turn % 3)
      for (let i = 0; i < count; i++) {
        shifted += 1
        expect(queue.shift()).toEqual({ v: shifted * page, n: shifted })
      }
      expect(queue.length).toBe(pushed - shifted)
    }
  })

  it('keeps the order when it grows, wherever its ring begins', () => {
    for (const gone of [0, 1, 63]) {
      const queue = new Queue()
      for (let i = 0; i < gone; i++) queue.push(0, 0)
      for (let i = 0; i < gone; i++) queue.shift()
      for (let i = 1; i <= 200; i++) queue.push(i * page, i)
      expect(queue.length).toBe(200)
      for (let i = 1; i <= 200; i++) expect(queue.shift()).toEqual({ v: i * page, n: i })
      expect(queue.length).toBe(0)
    }
  })

  it('hands out each range once for its write, and counts on when older ranges are taken out', () => {
    const queue = new Queue()
    for (let i = 1; i <= 4; i++) queue.push(i * page, page)
    expect([queue.nextWritable().v, queue.nextWritable().v]).toEqual([page, 2 * page])
    expect(queue.length).toBe(4)
    expect(queue.shift().v).toBe(page)
    expect(queue.nextWritable().v).toBe(3 * page)
    expect(queue.hasWritable).toBe(true)
    expect(queue.nextWritable().v).toBe(4 * page)
    expect(queue.hasWritable).toBe(false)
    for (let i = 2; i <= 4; i++) expect(queue.shift().v).toBe(i * page)
    // A range that comes later is not taken for one that was handed out.
    queue.push(5 * page, page)
    expect([queue.hasWritable, queue.nextWritable().v]).toEqual([true, 5 * page])
  })

  it('hands out each range for its write, also when those before were taken out without that', () => {
    const queue = new Queue()
    for (let i = 1; i <= 3; i++) queue.push(i * page, page)
    queue.shift()
    expect([queue.nextWritable().v, queue.nextWritable().v, queue.hasWritable]).toEqual([2 * page, 3 * page, false])
  })
})
