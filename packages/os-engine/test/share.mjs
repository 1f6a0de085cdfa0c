// A worker takes up shares of a region, waits on one, and writes to it. share.test.ts runs this file on each engine and
// reads what was wrong. The main thread and the worker run the same file.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-engine'

const memory = createMemory(createOS())
const page = memory.os.traits.pageSize
const shares = 8

if (isMainThread) console.log(JSON.stringify(await lend()))
else parentPort.once('message', take)

function take(tokens) {
  const taken = tokens.map((token) => memory.attach(token))
  const views = taken.map((share) => share.view(Int32Array))
  const seen = views.map((words) => words[1])
  parentPort.postMessage('taken')
  const waited = Atomics.wait(views[0], 0, 0, 20_000)
  views.forEach((words, i) => (words[2] = 100 + i))
  taken.forEach((share) => share.release())
  parentPort.postMessage({ seen, isAwake: waited !== 'timed-out', isGone: taken.every((share) => share.released) })
}

async function lend() {
  const region = memory.reserve(64 * page, { name: 'lent' })
  region.commit()
  const words = region.view(Int32Array)
  const at = (i) => (i * 3 * page) / 4
  for (let i = 0; i < shares; i++) words[at(i) + 1] = 41 + i
  const worker = new Worker(new URL(import.meta.url))
  const next = () => new Promise((resolve) => worker.once('message', resolve))
  worker.postMessage(Array.from({ length: shares }, (_, i) => region.share(worker, at(i) * 4, 2 * page)))
  await next()
  const refused = codeOf(() => region.unused(3 * page, page))
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
  const told = await next()
  const written = Array.from({ length: shares }, (_, i) => words[at(i) + 2])
  // A share that a worker has when it is terminated ends with it.
  await worker.terminate()
  const other = new Worker(new URL(import.meta.url))
  other.postMessage([region.share(other, 0, 2 * page)])
  await new Promise((resolve) => other.once('message', resolve))
  await other.terminate()
  region.free()
  return { ...told, refused, written, left: memory.stats().total.held }
}

function codeOf(call) {
  try {
    call()
    return null
  } catch (error) {
    return error.code
  }
}
