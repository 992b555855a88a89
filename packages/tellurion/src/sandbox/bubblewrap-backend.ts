// bubblewrap as a way to run code: which interpreters there are, how each is seen inside, and where groups are made.

import { basename } from 'node:path'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { findProgram, isProgram, type Bind } from './bubblewrap.ts'
import { findCgroupHome, type CgroupHome } from './cgroup.ts'
import { confine, type Confinement, type ConfinementOptions } from './confinement.ts'
import { EnclosedInterpreter } from './enclosed-interpreter.ts'
import type { Backend } from './execution.ts'
import { interpreterCommand } from './interpreter-source.ts'
import { languages, type FullLimits, type Interpreters, type Language } from './limit.ts'

/** What a host gives to bubblewrap. */
export interface Ground {
  readonly programs: Interpreters
  /** Where the programs are inside. */
  readonly inside: Interpreters
  readonly readOnly: readonly Bind[]
  /** Where groups are made, or why they cannot be. */
  readonly home: CgroupHome | { readonly because: string }
  readonly clock: Clock
}

/** Looks for interpreters and for a place of groups. Paths that the operator gives are taken as they are. */
export function findGround(given: Interpreters, readOnly: readonly string[], clock: Clock): Ground {
  const node = [process.execPath, findProgram('node')].find(
    (path) => path !== undefined && /^node\d*$/.test(basename(path)),
  )
  const found: Interpreters = { python: findProgram('python3'), javascript: node, bash: findProgram('bash') }
  const programs: Record<string, string> = {}
  const inside: Record<string, string> = {}
  const binds: Bind[] = readOnly.map((from) => ({ from }))
  for (const language of languages) {
    const path = given[language] ?? found[language]
    if (path === undefined || !isProgram(path)) continue
    programs[language] = path
    const isSeen = ['/usr/', '/bin/', ...readOnly.map((each) => `${each}/`)].some((folder) => path.startsWith(folder))
    inside[language] = isSeen ? path : `/opt/bin/${basename(path)}`
    if (!isSeen) binds.push({ from: path, to: inside[language] })
  }
  return { programs, inside, readOnly: binds, home: findCgroupHome(), clock }
}

/** Confines a command on this ground. */
export function confineOn(
  ground: Ground,
  given: Pick<ConfinementOptions, 'command' | 'limits' | 'signal'> & { readonly boundAddresses?: boolean },
): Promise<Confinement> {
  const home = 'because' in ground.home ? undefined : ground.home
  const { readOnly, clock } = ground
  return confine({ boundAddresses: false, ...given, home, readOnly, clock })
}

/** The languages that were seen to be there, each in a namespace of its own at every start. */
export function bubblewrap(ground: Ground, seen: readonly Language[]): Backend {
  return {
    name: 'bubblewrap',
    languages: seen,
    async start(language: Language, limits: FullLimits, { signal }) {
      const program = ground.inside[language]
      if (program === undefined)
        throw new TellurionError('sandbox_unavailable', `There is no interpreter for ${language}.`)
      const command = interpreterCommand(language, program, limits.memory)
      const confinement = await confineOn(ground, {
        command,
        limits,
        signal,
        boundAddresses: language !== 'javascript',
      })
      return new EnclosedInterpreter(confinement, ground.clock)
    },
  }
}
