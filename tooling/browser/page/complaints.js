// Records errors and warnings of a page or of a worker, because the driver of WebKitGTK does not tell them.
const complaints = (globalThis.memlayerComplaints ??= [])

for (const [name, type] of [
  ['error', 'error'],
  ['warn', 'warning'],
]) {
  const write = console[name]
  console[name] = (...args) => {
    complaints.push(`console ${type}: ${args.join(' ')}`)
    write.apply(console, args)
  }
}
const assert = console.assert
console.assert = (condition, ...args) => {
  if (!condition) complaints.push(`console assert: ${args.join(' ')}`)
  assert.call(console, condition, ...args)
}
addEventListener(
  'error',
  ({ message, target }) => complaints.push(message ? `uncaught: ${message}` : `request failed: ${target.src}`),
  // A file that does not load has an error event that does not bubble.
  true,
)
addEventListener('unhandledrejection', ({ reason }) => complaints.push(`uncaught: ${reason}`))
