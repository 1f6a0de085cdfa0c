// Declares @memlayer/os-custom, because the real package is only known where a user has installed one.
declare module '@memlayer/os-custom' {
  export function createOS(options?: object): import('@memlayer/core').OS
}
