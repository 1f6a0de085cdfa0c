// The worker of in-out.mjs: attaches what it is posted, and posts a copy of its bytes.
import { parentPort } from 'node:worker_threads'
import { memory } from 'memlayer'

parentPort.on('message', (token) => {
  const share = memory.attach(token)
  const copy = share.view(Uint8Array).slice()
  share.release()
  parentPort.postMessage(copy)
})
parentPort.postMessage('ready')
