// The system call filter of sandboxes, assembled here. A list of what is forbidden with an end: calls that are newer than
// the list do not exist. It comes on top of namespaces and missing rights; it does not stand in for them.

import { TellurionError } from '../error/error.ts'
import { assembleFilter, type Instruction } from './filter-program.ts'
import { absent, forbidden, judged, machines, type Machine } from './system-call.ts'

const allow = 0x7fff0000
const killProcess = 0x80000000
const fail = (errno: number): number => 0x00050000 | errno

const errnos = { notPermitted: 1, notThere: 38, noSuchFamily: 97 }

// Fields of `struct seccomp_data`: the call's number, the machine, and the lower half of each argument.
const numberAt = 0
const machineAt = 4
const argumentAt = (index: number): number => 16 + 8 * index

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const newNamespaces = 0x7e020000
/** Typing into a terminal, and the Linux console's own commands. */
const terminalCommands = [0x5412, 0x541c]
/** Unix, IPv4 and IPv6. Others, as VSOCK, know no network namespace. */
const families = [1, 2, 10]
const netlink = 16

/** What a filter may differ in. */
export interface FilterOptions {
  readonly machine?: Machine
  /** Lets programs ask for interfaces and routes, for those that have the host's network. Default false. */
  readonly netlink?: boolean
}

/** Whether this machine's system calls are known. */
export function isKnownMachine(name: string): name is Machine {
  return Object.hasOwn(machines, name)
}

/** The filter's bytes, for bubblewrap's `--seccomp`. Throws `sandbox_unavailable` on a machine that is not known. */
export function systemCallFilter(options: FilterOptions = {}): Uint8Array {
  const machine = options.machine ?? process.arch
  if (!isKnownMachine(machine)) {
    throw new TellurionError(
      'sandbox_unavailable',
      `There is no system call filter for ${machine}; only x64 and arm64.`,
    )
  }
  return assembleFilter(programOf(machine, options.netlink === true ? [...families, netlink] : families))
}

function programOf(machine: Machine, domains: readonly number[]): readonly Instruction[] {
  const column = machine === 'x64' ? 0 : 1
  const jumps = (calls: typeof forbidden, yes: string): Instruction[] =>
    Object.values(calls).flatMap((numbers) => {
      const value = numbers[column]
      return value === undefined ? [] : [{ op: 'equal', value, yes }]
    })
  const { audit, last } = machines[machine]
  return [
    { op: 'load', offset: machineAt },
    { op: 'equal', value: audit, no: 'foreign' },
    { op: 'load', offset: numberAt },
    // The 32-bit calls of x64 have numbers far up; they go with what is too new.
    { op: 'atLeast', value: last + 1, yes: 'absent' },
    { op: 'equal', value: judged.clone[machine], yes: 'clone' },
    { op: 'equal', value: judged.ioctl[machine], yes: 'ioctl' },
    { op: 'equal', value: judged.socket[machine], yes: 'socket' },
    { op: 'equal', value: judged.personality[machine], yes: 'personality' },
    ...jumps(absent, 'absent'),
    ...jumps(forbidden, 'forbidden'),
    { op: 'return', value: allow },
    { op: 'label', label: 'clone' },
    { op: 'load', offset: argumentAt(0) },
    { op: 'anyBit', value: newNamespaces, yes: 'forbidden', no: 'allowed' },
    { op: 'label', label: 'ioctl' },
    { op: 'load', offset: argumentAt(1) },
    ...terminalCommands.map((value): Instruction => ({ op: 'equal', value, yes: 'forbidden' })),
    { op: 'return', value: allow },
    { op: 'label', label: 'socket' },
    { op: 'load', offset: argumentAt(0) },
    ...domains.map((value): Instruction => ({ op: 'equal', value, yes: 'allowed' })),
    { op: 'return', value: fail(errnos.noSuchFamily) },
    { op: 'label', label: 'personality' },
    { op: 'load', offset: argumentAt(0) },
    { op: 'equal', value: 0, yes: 'allowed' },
    // Asking for the present one.
    { op: 'equal', value: 0xffffffff, yes: 'allowed', no: 'forbidden' },
    { op: 'label', label: 'allowed' },
    { op: 'return', value: allow },
    { op: 'label', label: 'forbidden' },
    { op: 'return', value: fail(errnos.notPermitted) },
    { op: 'label', label: 'absent' },
    { op: 'return', value: fail(errnos.notThere) },
    { op: 'label', label: 'foreign' },
    { op: 'return', value: killProcess },
  ]
}
