// A cache of 140 MiB beside other memory of the program, which grows by a MiB ten times a second until it has 140. The
// layer has no limit. With `reclaims` the cache has a reclaimer. It prints what a listener of pressure heard.
import { memory } from 'memlayer'

const MiB = 2 ** 20
const region = memory.reserve(140 * MiB, { name: 'cache', hugePages: 'off' })
region.commit(0, region.size)
region.view(Uint8Array).fill(1)
let first = 0
const heard = []
memory.onPressure(({ level, source, limit, used, given }) => heard.push({ level, source, limit, used, given }))
if (process.argv[2] === 'reclaims') {
  memory.reclaimer({ name: 'cache' }, ({ want }) => {
    const bytes = Math.min(Math.ceil(want / MiB) * MiB, region.size - first)
    region.unused(first, bytes)
    first += bytes
  })
}
const others = []
const timer = setInterval(() => {
  others.push(Buffer.alloc(MiB, 1))
  if (others.length < 140) return
  clearInterval(timer)
  memory.check()
  console.log(JSON.stringify({ heard, reclaimed: first }))
}, 100)
