// The port behind which sub-agents are worked on. Without one a child is worked on where its call is made, in a world of
// its own; a runtime makes it a run.

import type { Child } from './component.ts'

/** Who works on children. Bound as the resource `spawn`. Neither method throws. */
export interface Spawn {
  /** Begins a child with the next commit of the world, in which it is recorded. */
  begin(child: Child): void
  /** Ends a child with the next commit of the world. */
  cancel(child: Child): void
}
