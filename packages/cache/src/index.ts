// @memlayer/cache: a cache of bytes off the JavaScript heap, over @memlayer/heap. It runs wherever a backend does.
export { createCache, type Cache, type CacheOptions, type SetOptions } from './cache.js'
export type { Codec } from './codec.js'
export type { CacheStats } from './stats.js'
