// The files of the package that programs load: the kernels are one, and each engine is one. koffi's files are listed in
// a file of their own, which a bundler leaves out.
import { output } from '../../rolldown.config.mjs'

const file = (name, external = []) => ({ input: `src/${name}.ts`, external, output: output(`bundle/${name}`) })
const engine = (name) => file(name, ['@memlayer/kernel', '#koffi-files'])

export default [
  file('index', ['@memlayer/kernel', '#engine']),
  engine('any-engine'),
  engine('bun-ffi'),
  engine('deno-ffi'),
  file('koffi-files'),
  file('no-koffi-files'),
]
