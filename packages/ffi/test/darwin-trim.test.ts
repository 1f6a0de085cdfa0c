// Darwin's trim, over a made-up engine, because we had no Darwin machine.
import { expect, it } from 'vitest'
import { darwinTrim } from '../dist/darwin-trim.js'
import type { Engine } from '../dist/engine.js'

it('asks every zone for as much as it can give, and declares the call at first use', () => {
  const calls: unknown[] = []
  let given = 4096
  const engine = {
    func(library: string | null, name: string, result: string, params: readonly string[]) {
      calls.push([library, name, result, params])
      return (...args: number[]) => {
        calls.push(args)
        return given
      }
    },
  } as unknown as Engine
  const trim = darwinTrim(engine)
  expect(calls).toEqual([])
  expect(trim()).toBe(1)
  given = 0
  expect(trim()).toBe(0)
  expect(calls).toEqual([
    [null, 'malloc_zone_pressure_relief', 'size', ['address', 'size']],
    [0, 0],
    [0, 0],
  ])
})
