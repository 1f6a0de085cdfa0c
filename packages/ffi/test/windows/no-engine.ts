// Prints the error of windowsKernel() where it is not available. Runs in Node for Windows, with --no-addons.
import { windowsKernel } from '@memlayer/ffi'

try {
  windowsKernel()
} catch (error) {
  const { name, code, message } = error as Error & { code?: unknown }
  console.log(JSON.stringify({ name, code, message }))
}
