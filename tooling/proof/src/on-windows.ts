// Runs in Node for Windows. It runs the suite over os-windows and os-engine, and prints the reports as JSON for
// windows-column.ts. Its arguments are the seed, and `wine` under Wine.
import { engineOnWindows, windowsSubject } from './windows.js'
import { columnOf } from './matrix.js'

const [seed, host] = process.argv.slice(2)
const slow = 'Wine takes a minute for the pages of 4 GiB of a buffer'
const large = 'Wine has a byte of memory for each page that is reserved, which makes 17 GiB'
const isWine = host === 'wine'
const subjects = [
  { ...windowsSubject(), skip: isWine ? { 'charge/exhausted': large } : {} },
  { ...engineOnWindows(), skip: isWine ? { 'zero/sizes': slow, 'room/asked': slow } : {} },
]
const columns = []
for (const subject of subjects) columns.push(await columnOf(subject, Number(seed)))
console.log(JSON.stringify(columns))
