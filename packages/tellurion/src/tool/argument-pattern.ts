// What the arguments of a call must look like for a rule or a permission to be about it.

import type { Json } from '../schema/json.ts'
import { createWildcard } from './wildcard.ts'

/**
 * What the arguments must look like: every property named here must be there and match. Strings may hold `*` for any
 * characters; numbers, booleans and null must be equal; lists must match item by item; objects may have more.
 */
export type ArgumentPattern = { readonly [name: string]: Json }

/** A test of a value against an argument pattern. Own properties only. */
export function createPattern(pattern: Json): (value: unknown) => boolean {
  if (typeof pattern === 'string') {
    const matches = createWildcard(pattern)
    return (value) => typeof value === 'string' && matches(value)
  }
  if (typeof pattern !== 'object' || pattern === null) return (value) => value === pattern
  if (Array.isArray(pattern)) {
    const items = pattern.map(createPattern)
    return (value) =>
      Array.isArray(value) && value.length === items.length && items.every((item, index) => item(value[index]))
  }
  const properties = Object.entries(pattern).map(([name, each]) => [name, createPattern(each)] as const)
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    properties.every(
      ([name, matches]) => Object.hasOwn(value, name) && matches((value as Record<string, unknown>)[name]),
    )
}
