// Resources: the live things beside a world's state, by name. A short list that worlds share from the end: binding
// something in one of ten thousand forks costs one link, not a table.

/** What is bound, and what was bound before it. Names are unique in a list. */
export interface Resource {
  readonly name: string
  readonly value: unknown
  readonly next: Resource | undefined
}

/** What is bound under a name, or undefined. */
export function findBound(list: Resource | undefined, name: string): unknown {
  for (let each = list; each !== undefined; each = each.next) if (each.name === name) return each.value
  return undefined
}

/** The list with this binding in front, and no older one of its name. */
export function withBound(list: Resource | undefined, name: string, value: unknown): Resource {
  return { name, value, next: without(list, name) }
}

/** The names, newest first. */
export function boundNames(list: Resource | undefined): string[] {
  const names: string[] = []
  for (let each = list; each !== undefined; each = each.next) names.push(each.name)
  return names
}

/** The list without a name; shared as far as it can be. */
function without(list: Resource | undefined, name: string): Resource | undefined {
  if (list === undefined) return undefined
  if (list.name === name) return list.next
  const next = without(list.next, name)
  return next === list.next ? list : { ...list, next }
}
