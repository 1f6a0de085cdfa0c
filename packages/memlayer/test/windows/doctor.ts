// Prints doctor's findings as JSON. Runs in Node for Windows.
import { memory } from 'memlayer'

const { doctor } = (await import(import.meta.resolve('memlayer').replace('index.js', 'doctor.js'))) as {
  doctor(of: typeof memory): unknown
}
console.log(JSON.stringify(doctor(memory)))
