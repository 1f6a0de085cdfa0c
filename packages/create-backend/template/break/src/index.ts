// memlayer-my-os: a memlayer backend for my-os.
export { createOS, type BackendOptions } from './mem.js'
