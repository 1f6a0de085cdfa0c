// @memlayer/history: long random histories of a memory, beside a shadow.
export { History, type HistoryOptions } from './history.js'
export { Shadow } from './shadow.js'
