// Runs in the worker. It calls the function that in-worker.js names, and posts the returned value or the error, and
// what the worker's console had.
// oxlint-disable-next-line import/no-unassigned-import -- it only listens
import './complaints.js'
import * as entry from './entry.js'

addEventListener('message', ({ data }) => void answer(data))

async function answer({ call, args }) {
  const complaints = globalThis.memlayerComplaints
  try {
    const value = await entry[call](...args)
    // A rejection is reported after the microtasks.
    await new Promise((resolve) => setTimeout(resolve))
    postMessage({ value, complaints })
  } catch (error) {
    // Only V8 puts the message into the stack.
    postMessage({ error: `${error}\n${error?.stack ?? ''}`, complaints })
  }
}
