// The files of the package that programs load. Each file costs a program half a millisecond at its start, so the
// kernels are one, and each engine is one. koffi's files are listed in a file of their own, which a bundler leaves out.
const engine = (name) => ({
  input: `src/${name}.ts`,
  external: ['@memlayer/kernel', '#koffi-files'],
  output: output(name),
})

const output = (name) => ({
  file: `dist/bundle/${name}.js`,
  format: 'esm',
  sourcemap: true,
  sourcemapExcludeSources: true,
  comments: { jsdoc: false },
})

export default [
  { input: 'src/index.ts', external: ['@memlayer/kernel', '#engine'], output: output('index') },
  engine('any-engine'),
  engine('bun-ffi'),
  engine('deno-ffi'),
  { input: 'src/koffi-files.ts', output: output('koffi-files') },
  { input: 'src/no-koffi-files.ts', output: output('no-koffi-files') },
]
