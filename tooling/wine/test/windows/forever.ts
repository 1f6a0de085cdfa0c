// Never ends, and starts a child process that never ends.
import { spawn } from 'node:child_process'

const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)', '--', process.argv[2] ?? ''], {
  stdio: 'ignore',
})
console.log(child.pid === undefined ? 'no child' : 'a child')
setInterval(() => {}, 1000)
