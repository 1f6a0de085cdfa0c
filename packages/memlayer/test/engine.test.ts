// memlayer/engine: the methods of `memory`, over memory that the engine owns. Each life has a process of its own.
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

function facts(code: string): unknown {
  const child = runChild(`import { memory } from 'memlayer/engine'\n${code}`, { from: import.meta.dirname })
  expect(child).toMatchObject({ code: 0, signal: null })
  return JSON.parse(child.stdout)
}

describe.skipIf(process.platform !== 'linux')('memlayer/engine (needs Linux)', () => {
  it('has every method of memory, meets the requirement of a native backend, and says why it serves', () => {
    const found = facts(`
      import { memory as own } from 'memlayer'
      memory.require({ backend: 'native' })
      console.log(JSON.stringify({
        missing: Object.keys(own).filter((name) => typeof own[name] !== typeof memory[name]),
        name: memory.os.name,
        choice: memory.choice,
        other: own.os.name,
      }))`)
    expect(found).toEqual({
      missing: [],
      name: 'engine',
      choice: { backend: '@memlayer/os-engine', how: 'pin', reason: 'the program imports memlayer/engine' },
      other: 'linux',
    })
  })

  it('serves regions and growable buffers: a view that was kept reads zero, and growing keeps it', () => {
    const found = facts(`
      import { GrowableBuffer } from 'memlayer'
      const region = memory.reserve(2 ** 20)
      region.commit(0, 2 ** 20)
      const kept = region.view(Uint8Array, 0, 2 ** 20).fill(7)
      region.unused(0, 2 ** 19)
      using buffer = new GrowableBuffer(memory, { maximum: 2 ** 24 })
      buffer.resize(100)
      const first = buffer.bytes().fill(3)
      buffer.resize(2 ** 22)
      first[0] = 9
      console.log(JSON.stringify([kept[0], kept[2 ** 19], kept.length, buffer.bytes()[0], buffer.bytes()[100]]))`)
    expect(found).toEqual([0, 7, 2 ** 20, 9, 0])
  })

  it('is found sound by doctor, which names the other memory', () => {
    const found = facts(`
      import { doctor } from 'memlayer/doctor'
      const findings = doctor(memory)
      console.log(JSON.stringify([
        findings.filter(({ level }) => level === 'error'),
        findings.find(({ topic }) => topic === 'other memory')?.says,
        findings.find(({ topic }) => topic === 'freed addresses')?.says,
        findings.filter(({ topic }) => topic === 'self-test').map(({ says }) => says),
      ]))`) as [unknown[], string, string, string[]]
    expect(found.slice(0, 3)).toEqual([
      [],
      "Memlayer's main entry has memory of the operating system.",
      'The engine keeps what code can reach. A late access finds zeroes.',
    ])
    expect(found[3]?.[0]).toMatch(/freed 16 regions/)
  })

  it('is a BackendError with what to import on another system, and none before it is used', () => {
    const found = facts(`
      Object.defineProperty(process, 'platform', { value: 'freebsd' })
      try {
        memory.reserve(2 ** 20)
      } catch ({ name, code, message }) {
        console.log(JSON.stringify({ name, code, message }))
      }`)
    expect(found).toMatchObject({
      name: 'BackendError',
      code: 'ERR_MEMLAYER_BACKEND',
      message: expect.stringMatching(
        /for Linux, macOS and Windows, and process\.platform is freebsd.*from 'memlayer'/,
      ) as string,
    })
  })
})
