// Bare node: a module that does nothing.
export const nothing = null
