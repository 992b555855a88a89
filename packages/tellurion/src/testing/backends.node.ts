// The backends of this machine, each fresh for one test: what is true of durable runs is shown on all of them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackendOpener } from '../runtime/backend.ts'
import { memory } from '../runtime/backend/memory/memory.ts'
import { sqlite } from '../runtime/backend/sqlite/sqlite.ts'

/** The materials that this machine has. */
export const materials = ['memory', 'sqlite'] as const

/** A fresh place on a material. What it leaves on the disk goes with the process. */
export function backendPlace(material: (typeof materials)[number]): BackendOpener {
  if (material === 'memory') return memory()
  return sqlite(join(folder(), `${++places}.db`), { synchronous: 'normal' })
}

let places = 0
let made: string | undefined

function folder(): string {
  if (made !== undefined) return made
  const path = mkdtempSync(join(tmpdir(), 'tellurion-'))
  made = path
  process.once('exit', () => rmSync(path, { recursive: true, force: true }))
  return path
}
