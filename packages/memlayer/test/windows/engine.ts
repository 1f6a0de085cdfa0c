// memlayer/engine on Windows: prints what it is and does, and what doctor says of it, as JSON. Runs in Node for
// Windows.
import type { memory as Engine } from 'memlayer/engine'

const at = (name: string): string => import.meta.resolve('memlayer').replace('index.js', `${name}.js`)
const { memory } = (await import(at('engine'))) as { memory: typeof Engine }
const { doctor } = (await import(at('doctor'))) as { doctor(of: typeof memory): unknown }

memory.require({ backend: 'native' })
const region = memory.reserve(2 ** 24)
region.commit(0, 2 ** 20)
const kept = region.view(Uint8Array, 0, 2 ** 20).fill(7)
region.unused(0, 2 ** 19)
const read = [kept[0], kept[2 ** 19], kept.length]
region.free()
const { backend, how } = memory.choice
console.log(JSON.stringify({ name: memory.os.name, backend, how, read, findings: doctor(memory) }))
