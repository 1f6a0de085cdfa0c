// `npm start`: the tour on this host's own kernel, and a verdict.
import { posixKernel } from '@memlayer/ffi'
import { tour } from './tour.js'

if (process.platform === 'linux') {
  const disagreements = tour({ kernel: posixKernel(), print: (text) => console.log(text) })
  for (const sentence of disagreements) console.log(`DISAGREE  ${sentence}`)
  console.log(
    disagreements.length === 0
      ? '\nThe two accounts agree after every step.'
      : `\nThe two accounts disagree ${disagreements.length} times: the layer or this kernel has a fault worth reporting.`,
  )
  process.exitCode = disagreements.length === 0 ? 0 : 1
} else {
  console.log(
    `The tour holds the layer against /proc/self/smaps, which ${process.platform} does not have: run it on Linux.`,
  )
  process.exitCode = 2
}
