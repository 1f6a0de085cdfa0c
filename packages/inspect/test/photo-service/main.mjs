// Runs the photo service over memlayer's own memory: `node --import @memlayer/inspect/auto main.mjs 120` for two
// minutes. With --expose-gc, garbage is collected every five seconds, and dropped regions are found as soon.
import { memory } from 'memlayer'
import { startPhotoService } from './service.mjs'

const seconds = Number(process.argv[2] ?? 60)
const service = startPhotoService(memory)
let passed = 0
const timer = setInterval(() => {
  passed += 1
  service.second()
  if (passed % 5 === 0) globalThis.gc?.()
  if (passed >= seconds) clearInterval(timer)
}, 1000)
