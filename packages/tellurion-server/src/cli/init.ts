// `tellurion init [dir]`: a new project that runs and passes its own test. What is there already stays as it is.

import { existsSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeFolder } from 'tellurion/file'
import { systemMessage } from '../config/system-message.ts'
import { inertLine } from '../terminal/inert.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { UsageError, type ExitCode } from './fault.ts'
import { scaffold } from './scaffold.ts'
import { Screen } from './screen.ts'
import type { Host } from './setting.ts'
import { version } from './version.ts'

/** Writes the project. 0; throws a `UsageError`, with nothing written, where one of its files is there already. */
export async function init(folder: string, host: Host): Promise<ExitCode> {
  const home = resolve(folder)
  const source = checkout()
  const files = scaffold({ name: nameOf(home), packages: packagesFor(home, source) })
  const there = Object.keys(files).filter((name) => existsSync(join(home, name)))
  if (there.length > 0) {
    throw new UsageError(
      `${inertLine(home)} has ${there.join(', ')} already; nothing was written. Choose another folder.`,
    )
  }
  try {
    makeFolder(home)
    // A file that came to be meanwhile is not overwritten either.
    for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(`${inertLine(home)} cannot be written: ${systemMessage(error)}.`, { cause: error })
  }
  const screen = new Screen(host.stdout, host.env)
  const place = relative('.', home)
  screen.line(`Wrote ${Object.keys(files).length} files to ${inertLine(home)}. Now:`, 'strong')
  if (source !== undefined) screen.line(`  (cd ${shellWord(source)} && npm run build)`)
  if (place !== '') screen.line(`  cd ${shellWord(place)}`)
  for (const line of ['npm install', 'npm test', 'npm start']) screen.line(`  ${line}`)
  return 0
}

/** The folder's name as npm takes it. */
function nameOf(home: string): string {
  const name = basename(home)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name.slice(0, 100) || 'agent'
}

/** The checkout that this runs from; undefined where the package is installed. */
function checkout(): string | undefined {
  return import.meta.url.endsWith('.ts') ? fileURLToPath(new URL('../../../..', import.meta.url)) : undefined
}

/** From a checkout, what it builds; else this very version or what is compatible with it. */
function packagesFor(home: string, source: string | undefined): { tellurion: string; 'tellurion-server': string } {
  const of = (name: string): string =>
    source === undefined
      ? `^${version()}`
      : `file:${relative(home, join(source, 'build', name))
          .split(sep)
          .join('/')}`
  return { tellurion: of('tellurion'), 'tellurion-server': of('tellurion-server') }
}
