// Words and numbers in the text of the kernel's own files. A sandbox may answer with an empty file, or without a
// line, so what is not there is null or NaN and never 0. linux-limits.ts and linux-groups.ts use it.
//
// There are no regular expressions here: an engine that has to compile one at the very end of the stack ends the
// process.

/** The number that is the whole text. `max` is Infinity, because a control group writes that. Else NaN. */
export function numberIn(text: string | null): number {
  if (text === null || text.trim() === '') return NaN
  return text.trim() === 'max' ? Infinity : Number(text)
}

/** The word after `name`, on the line that begins with it; null: there is no such line. */
export function wordAfter(text: string | null, name: string): string | null {
  const line = (text ?? '').split('\n').find((one) => one.startsWith(name))
  return line?.slice(name.length).trim().split(' ')[0] ?? null
}

/** The bytes on the line of `name`, which counts in KiB. */
export function kibibytesIn(text: string | null, name: string): number {
  return numberIn(wordAfter(text, `${name}:`)) * 1024
}

/** The number of lines. NaN: the text is missing or empty. */
export function linesIn(text: string | null): number {
  if (text === null || text.trim() === '') return NaN
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}
