// What only agents with a budget or with sub-agents need, loaded at one time by the first of them: the others, and their
// bundles, go without.

export { estimateCall, reserve } from './budget.ts'
export { tendChild } from './child.ts'
