// @memlayer/create-backend: writes a backend's package from a template, with the user's name.
export { kinds, type Kind, type KindFacts } from './kinds.js'
export { createBackend, type CreateOptions, type Created } from './create.js'
export { NameError } from './names.js'
