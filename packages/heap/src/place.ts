// Where in the program a method was called.

/** A method that a program calls. */
export type Caller = (...given: never[]) => unknown

interface StackMaker {
  captureStackTrace?(error: object, from: Caller): void
}

/** Frames that a place has. */
const frames = 4

/** The innermost calls of the program that led to `from`, a line for each. Empty where the engine tells no stack. */
export function placeOf(from: Caller): string {
  const made: { stack?: unknown } = new Error('here')
  const { captureStackTrace } = Error as StackMaker
  captureStackTrace?.(made, from)
  if (typeof made.stack !== 'string') return ''
  // V8 begins with the message, and has no frame of `from`. Other engines begin with a frame of this function.
  const lines = made.stack.split('\n').map((line) => line.trim())
  const first = captureStackTrace === undefined ? lines.findIndex((line) => line.includes(from.name)) + 1 : 1
  return lines.slice(first, first + frames).join('\n')
}
