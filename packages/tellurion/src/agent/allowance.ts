// What only agents with a budget, with sub-agents or with a past that broke off need, loaded at one time by the first of
// them: the others, and their bundles, go without.

export { estimateCall, reserve } from './budget.ts'
export { tendChild } from './child.ts'
export { askOutcome } from './unknown-outcome.ts'
