// Long tests: other engines and browsers of one kind, full sizes, and what takes half a minute by itself.

/** Whether this run has the long tests: `npm run test:long`. `npm test` leaves them out, or makes them smaller. */
export const isLong: boolean = isAsked()

function isAsked(): boolean {
  try {
    return process.env['MEMLAYER_LONG'] === '1'
  } catch {
    // Deno without --allow-env.
    return false
  }
}
