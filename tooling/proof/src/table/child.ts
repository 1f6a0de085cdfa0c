// A child process of command.ts: the faults of one backend.
import { child } from './command.js'

// Faulty backends are warned of, and the children say nothing but their result.
process.removeAllListeners('warning')
process.on('warning', () => undefined)

await child(process.argv.slice(2))
