// @memlayer/create-backend: the template of a backend, written under a name of one's own.
export { kinds, type Kind, type KindFacts } from './kinds.js'
export { createBackend, type CreateOptions, type Created } from './create.js'
export { NameError } from './names.js'
