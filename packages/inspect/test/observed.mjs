// A process with 10,000 ranges that change all the time, and an inspector over it. cost.test.ts forks it and asks for
// its processor time.
import { createMemory } from '@memlayer/core'
import { inspect } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-linux'

const [REGIONS, RANGES, PAGE] = [100, 50, 4096]
const memory = createMemory(createOS())
const regions = Array.from({ length: REGIONS }, (_, r) =>
  memory.reserve(2 * RANGES * PAGE, { name: `region ${r}`, hugePages: 'off' }),
)
for (const region of regions) {
  for (let i = 0; i < RANGES; i++) {
    region.commit(2 * i * PAGE, PAGE)
    region.view(Uint8Array, 2 * i * PAGE, PAGE).fill(1)
  }
}
let step = 0
setInterval(() => {
  const region = regions[step++ % REGIONS]
  region?.unused(0, PAGE)
  region?.used(0, PAGE)
}, 50)
const inspector = await inspect(memory)
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ microseconds: user + system, ranges: memory.ranges().length })
})
process.send?.({ url: inspector.url, regions: regions.map(({ id, address, size }) => ({ id, address, size })) })
