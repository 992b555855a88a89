// What the system said against something, in a word: `EACCES`.

/** The code of a system error, or its message where it has none. */
export function systemCode(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'string') return code
  return error instanceof Error ? error.message : String(error)
}
