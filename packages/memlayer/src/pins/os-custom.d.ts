// What stands under the name @memlayer/os-custom is known only where somebody has installed it.
declare module '@memlayer/os-custom' {
  export function createOS(options?: object): import('@memlayer/core').OS
}
