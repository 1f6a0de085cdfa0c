// Never ends, and neither does the process that it starts.
import { spawn } from 'node:child_process'

const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)', '--', process.argv[2] ?? ''], {
  stdio: 'ignore',
})
console.log(child.pid === undefined ? 'no child' : 'a child')
setInterval(() => {}, 1000)
