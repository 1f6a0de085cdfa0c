// `npm start`: runs the tour on this host's own kernel and prints a verdict.
import { posixKernel } from '@memlayer/ffi'
import { tour } from './tour.js'

if (process.platform === 'linux') {
  const disagreements = tour({ kernel: posixKernel(), print: (text) => console.log(text) })
  for (const sentence of disagreements) console.log(`DISAGREE  ${sentence}`)
  console.log(
    disagreements.length === 0
      ? '\nThe two accounts agree after every step.'
      : `\nThe two accounts disagree ${disagreements.length} times. Report a fault of the layer or of this kernel.`,
  )
  process.exitCode = disagreements.length === 0 ? 0 : 1
} else {
  console.log(
    `Run the tour on Linux: it compares the layer with /proc/self/smaps, which ${process.platform} does not have.`,
  )
  process.exitCode = 2
}
