// Prints what it is, on both outputs, and leaves with the code that it is told.
console.log(
  JSON.stringify({
    platform: process.platform,
    version: process.version,
    args: process.argv.slice(2),
    word: process.env['WORD'],
  }),
)
console.error('to stderr')
process.exitCode = Number(process.argv[2])
