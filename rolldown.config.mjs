// How a package becomes one file to load. Each file costs a program half a millisecond at its start. A package's build
// runs this in its own folder.
import { readFileSync } from 'node:fs'

const { dependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8'))

/** A file in dist, by its name without the ending. */
export const output = (name) => ({
  file: `dist/${name}.js`,
  format: 'esm',
  sourcemap: true,
  sourcemapExcludeSources: true,
  comments: { jsdoc: false },
})

export default { input: 'src/index.ts', external: Object.keys(dependencies), output: output('bundle') }
