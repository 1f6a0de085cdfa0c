// Runs in Node for Windows. It runs the suite over os-windows and os-engine, and prints the reports as JSON for
// windows-column.ts. Its arguments are the seed, and `wine` under Wine.
import { engineOnWindows, windowsSubject } from './windows.js'
import { columnOf } from './matrix.js'

const [seed, host] = process.argv.slice(2)
const slow = 'Wine takes a minute for the pages of 4 GiB of a buffer'
const skip = host === 'wine' ? { 'zero/sizes': slow, 'room/asked': slow } : {}
const subjects = [windowsSubject(), { ...engineOnWindows(), skip }]
console.log(JSON.stringify(subjects.map((subject) => columnOf(subject, Number(seed)))))
