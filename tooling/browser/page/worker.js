// Runs in the worker. It calls the function that in-worker.js names, and posts the returned value or the error.
import * as entry from './entry.js'

addEventListener('message', ({ data }) => void answer(data))

async function answer({ call, args }) {
  try {
    postMessage({ value: await entry[call](...args) })
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) })
  }
}
