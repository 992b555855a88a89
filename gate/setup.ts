// `npm run setup`: makes a clone ready to be worked on. The toolchain is installed by the bootstrap before this; what is
// left is the hook that runs the gate before each commit, for whoever wants it by calling this.

import { spawnSync } from 'node:child_process'
import { root } from './source.ts'

const hooks = 'gate/hook'

function git(...args: string[]): { readonly code: number | null; readonly text: string } {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return { code: status, text: (stdout ?? '').trim() }
}

function setUp(): string {
  if (git('rev-parse', '--git-dir').code !== 0) return 'This is no git checkout, so there is no hook to install.'
  const known = git('config', '--get', 'core.hooksPath').text
  if (known === hooks) return 'The gate runs before each commit already.'
  if (known !== '')
    return `Hooks come from ${known}; they stay. To use those of the project: git config core.hooksPath ${hooks}`
  if (git('config', 'core.hooksPath', hooks).code !== 0) return 'git would not take the hook; the rest is ready.'
  return 'From now on `npm run check` runs before each commit; to end that: git config --unset core.hooksPath'
}

console.log(setUp())
console.log('Ready: npm start, npm test, npm run check.')
