// Warnings, by the way that the host has for them, and functions of the program whose errors become warnings.

interface Host {
  readonly process?: { emitWarning?(message: string, options: { type: string; code: string; detail: string }): void }
  readonly console?: { warn(text: string): void }
}

/** Warns. `code` is stable: programs filter warnings by it. */
export function warn(code: string, message: string, detail: string): void {
  const host = globalThis as Host
  if (host.process?.emitWarning === undefined) host.console?.warn(`${message}\n${detail}`)
  else host.process.emitWarning(message, { type: 'MemlayerWarning', code, detail })
}

/** Calls a function of the program. What it throws goes to `failed`, also when it is async and throws later. */
export function run(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call()
    if (typeof result === 'object' && result !== null && 'then' in result) Promise.resolve(result).catch(failed)
  } catch (error) {
    failed(error)
  }
}
