// Identifiers as a port: unguessable in production, counted in tests.

/** Makes an identifier that matches `^[a-zA-Z0-9_-]{1,64}$`; `prefix` is put before it with an underscore. */
export type Ids = (prefix?: string) => string

/** Identifiers from the platform's cryptographic source: 128 bits, hyphens removed. */
export const systemIds: Ids = (prefix) => {
  const id = crypto.randomUUID().replaceAll('-', '')
  return prefix === undefined ? id : `${prefix}_${id}`
}

/** Identifiers that count from 1: `run_1`, `run_2`. For tests and simulation. */
export function countedIds(): Ids {
  let last = 0
  return (prefix = 'id') => `${prefix}_${++last}`
}
