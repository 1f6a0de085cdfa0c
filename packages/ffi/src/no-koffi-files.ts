// What a bundler has in place of koffi-files.ts.

/** No files. */
export const koffiFiles = (): readonly string[] => []
