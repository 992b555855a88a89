// The door `tellurion/web`.

export { createEgress } from './egress.ts'
export type { Egress, EgressLimits, EgressOptions } from './egress.ts'
export type { EgressRule } from './egress-rule.ts'
export { createResolve, systemResolve } from './resolver.ts'
export type { Resolve } from './resolver.ts'
export { addressKind } from './address-kind.ts'
export type { AddressKind } from './address-kind.ts'
export { parseAddress } from './address.ts'
export type { Address } from './address.ts'
