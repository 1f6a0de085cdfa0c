// Prints facts about its process to stdout and a line to stderr, and exits with the given code.
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
