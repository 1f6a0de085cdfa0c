// A cache that is asked to hold far more than its control group allows. Blocks are written in turn; a reclaimer lets
// the oldest ones go. It prints what it did.
import { memory } from 'memlayer'

const MiB = 2 ** 20
const block = 65_536
const [total, lowerTo] = [Number(process.argv[2]) * MiB, Number(process.argv[3] ?? NaN) * MiB]
const region = memory.reserve(total, { name: 'cache', hugePages: 'off' })
let [first, next, reclaimed] = [0, 0, 0]
memory.reclaimer({ name: 'cache' }, ({ want }) => {
  const bytes = Math.min(Math.ceil(want / block) * block, next - first)
  region.unused(first, bytes)
  first += bytes
  reclaimed += bytes
  return bytes
})
let wrong = 0
while (next < total) {
  region.commit(next, block)
  region.view(Uint8Array, next, block).fill(1 + ((next / block) % 255))
  next += block
  // The oldest block is read now and then.
  if (next % (64 * block) === 0 && region.view(Uint8Array, first, 1)[0] !== 1 + ((first / block) % 255)) wrong += 1
  if (next === total / 2 && lowerTo > 0) memory.limit = { bytes: lowerTo, of: 'process' }
}
memory.check()
console.log(JSON.stringify({ wrong, reclaimed, rss: process.memoryUsage.rss(), limit: memory.limit }))
