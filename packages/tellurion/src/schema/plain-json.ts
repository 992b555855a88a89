// The question whether a value is plain JSON, asked at every entrance. It reads and never copies.

/** Deepest nesting of arrays and objects that is let in. */
export const maxJsonDepth = 64

/**
 * What keeps `value` from being plain JSON, as `/place: what`, or undefined when nothing does. Refused are non-finite
 * numbers, ill-formed Unicode, functions, class instances, cycles, nesting over 64 and the keys `__proto__` and
 * `constructor`. Properties that are undefined are passed over, as JSON does.
 */
export function jsonProblem(value: unknown): string | undefined {
  return problem(value, '', 0)
}

function problem(value: unknown, place: string, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : at(place, 'ill-formed Unicode')
    case 'number':
      return Number.isFinite(value) ? undefined : at(place, `${value} is not JSON`)
    case 'boolean':
      return undefined
    case 'object':
      if (value === null) return undefined
      if (depth >= maxJsonDepth) return at(place.slice(0, 80), `nested deeper than ${maxJsonDepth}, or a cycle`)
      return Array.isArray(value) ? itemProblem(value, place, depth) : propertyProblem(value, place, depth)
    default:
      return at(place, `${value === undefined ? 'undefined' : `a ${typeof value}`} is not JSON`)
  }
}

function itemProblem(items: readonly unknown[], place: string, depth: number): string | undefined {
  for (let index = 0; index < items.length; index++) {
    const found = problem(items[index], `${place}/${index}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function propertyProblem(value: object, place: string, depth: number): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return at(place, `${className(value)} is not JSON`)
  for (const key of Object.keys(value)) {
    if (key === '__proto__' || key === 'constructor') return at(place, `the key ${key} is not allowed`)
    if (!key.isWellFormed()) return at(place, 'a key with ill-formed Unicode')
    const item = (value as Record<string, unknown>)[key]
    if (item === undefined) continue
    const found = problem(item, `${place}/${key}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

function at(place: string, what: string): string {
  return place === '' ? what : `${place}: ${what}`
}

/** `a Date`, `a Map`: for messages. Never throws, whatever the value is. */
export function className(value: object): string {
  try {
    const { constructor } = value as { constructor?: { name?: unknown } }
    const name = constructor?.name
    if (typeof name !== 'string' || name === '') return 'an instance of a class'
    return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name.slice(0, 60).toWellFormed()}`
  } catch {
    return 'an exotic object'
  }
}
