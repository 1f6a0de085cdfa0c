// @memlayer/os-engine: the backend whose memory the JavaScript engine owns.
export { createOS, type EngineOptions } from './mem.js'
