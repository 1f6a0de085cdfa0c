// @memlayer/history does long random histories on a memory beside a shadow.
export { History, type HistoryOptions } from './history.js'
export { Shadow } from './shadow.js'
