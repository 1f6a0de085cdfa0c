// Inspects a program without a change of it: `node --import @memlayer/inspect/auto app.js`. It looks at the memory of
// memlayer. What goes wrong here is a warning, because the program comes first.
import { isMainThread } from 'node:worker_threads'
import { memory } from 'memlayer'
import { Allowed } from './allowed.js'

// A worker has memories of its own, and inherits the flag.
if (isMainThread) void new Allowed(memory, process.env).start()
