// Warnings, by the way that the host has for them.

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
