// Entities: identity and nothing else.

declare const brand: unique symbol

/** The identity of one thing in a world: a positive integer that is never used again, not even after a rewind. */
export type Entity = number & { readonly [brand]: 'Entity' }

/** The world's own entity: it is always there, and carries what belongs to no other. */
export const worldEntity = 0 as Entity
