// What a refusal says on Windows where retired memory was asked for first: it is about the request, and not about that.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'
import { simulate } from '@memlayer/simkernel'
import { expect, it } from 'vitest'

it('names the call, its error and the limit, also after retired addresses were given back', () => {
  const memory = createMemory(createOS({ kernel: simulate('windows') }))
  const region = memory.reserve(2 ** 20)
  region.commit()
  region.view(Uint8Array, 0, 2 ** 16)
  region.free()
  expect(memory.stats().retired).toBe(2 ** 20)
  const wanted = { syscall: 'VirtualAlloc', errno: 87, hint: expect.stringContaining('is 128.0 TiB') as string }
  // The first request gives them back, and the second finds none.
  for (let i = 0; i < 2; i++) {
    expect(() => memory.sysReserve(null, 2 ** 50)).toThrow(expect.objectContaining(wanted) as Error)
  }
})
