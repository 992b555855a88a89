// The self-test: eight probes of a live sandbox, most of them made from outside, where nothing inside can lie. What they
// find decides how far the sandbox is trusted; a probe that cannot be made has failed.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { sleep, type Clock } from '../clock/clock.ts'
import { messageOf } from '../error/error.ts'
import { confineOn, type Ground } from './bubblewrap-backend.ts'
import { installLine } from './bubblewrap.ts'
import type { Confinement } from './confinement.ts'
import { workFolder } from './interpreter-source.ts'
import { languages, type FullLimits, type Language } from './limit.ts'
import type { Probe, ProbeName } from './probe.ts'
import { systemCode } from './system-code.ts'

/** What the self-test found: its eight probes, and the languages whose interpreters can be run inside. */
export interface SelfTest {
  readonly probes: readonly Probe[]
  readonly languages: readonly Language[]
}

const mends: Readonly<Record<ProbeName, string>> = {
  namespaces:
    'Let this user make user namespaces: sysctl kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0; in a container, start it so that it may.',
  identity: 'Run as an ordinary user, or as a root that has other users in its namespace.',
  files: 'Keep the system below /usr owned by root, and name less in readOnly.',
  network: 'Use a kernel with network namespaces.',
  inheritance: 'Start this process without descriptors left open.',
  filter: 'Use a kernel with seccomp filters.',
  limits:
    'Give this process a cgroup that it may divide, with memory and pids: run it as root, or as a unit with Delegate=yes.',
  survivors: 'Use a kernel with process namespaces.',
  engine: 'npm install quickjs-emscripten',
}

/** Says `ready`, waits for a word, tries what it should not be able to do, says what it could, and leaves children. */
const script = `
printf 'ready\\n' >&3
read -r go <&4
(: >/usr/tellurion-probe) 2>/dev/null && echo 'wrote below /usr'
(: >/tellurion-probe) 2>/dev/null && echo 'wrote beside /usr'
(: >${workFolder}/probe) 2>/dev/null || echo 'could not write ${workFolder}'
for each in "$@"; do
  path=\${each#*:}
  case $each in
    unseen:*) [ -e "$path" ] && echo "saw $path" ;;
    has:*) [ -x "$path" ] && echo "has $path" ;;
  esac
done
(setsid sleep 600 &) >/dev/null 2>&1
sleep 600 >/dev/null 2>&1 &
printf 'done 0\\n' >&3
read -r again <&4
`

const kinds = ['user', 'pid', 'mnt', 'net', 'ipc', 'uts'] as const

/** Starts a sandbox on this ground, looks at it, and ends it. Never rejects. */
export async function selfTest(ground: Ground, limits: FullLimits): Promise<SelfTest> {
  let confinement: Confinement
  try {
    const asked = [
      ...unseen().map((path) => `unseen:${path}`),
      ...Object.values(ground.inside).map((path) => `has:${path}`),
    ]
    confinement = await confineOn(ground, { command: ['/bin/sh', '-c', script, 'sh', ...asked], limits })
  } catch (error) {
    return { probes: allFailed(messageOf(error)), languages: [] }
  }
  try {
    const process = firstChild(confinement.pid)
    const outside = [
      probe('namespaces', () => lookAtNamespaces(process)),
      probe('identity', () => lookAtIdentity(process)),
      probe('network', () => lookAtNetwork(process)),
      await settled(() => probe('inheritance', () => lookAtInheritance(process, confinement.pid)), ground.clock),
      probe('filter', () => lookAtFilter(process)),
      probe('limits', () => lookAtLimits(process, ground)),
    ]
    const said = await conversation(confinement, ground.clock)
    const inside = probe('files', () => lookAtFiles(said))
    const children = descendants(confinement.pid)
    await confinement.end()
    const after = probe('survivors', () => lookForSurvivors(children))
    const seen = languages.filter((language) => said.includes(`has ${ground.inside[language]}`))
    const [first, second, ...rest] = outside
    return { probes: [first!, second!, inside, ...rest, after], languages: seen }
  } catch (error) {
    return { probes: allFailed(messageOf(error)), languages: [] }
  } finally {
    await confinement.close()
  }
}

function allFailed(why: string): readonly Probe[] {
  const names: ProbeName[] = [
    'namespaces',
    'identity',
    'files',
    'network',
    'inheritance',
    'filter',
    'limits',
    'survivors',
  ]
  const missing = why.includes('bubblewrap is not installed')
  return names.map((name, index) =>
    index === 0
      ? { name, passed: false, detail: why, mend: missing ? installLine : mends.namespaces }
      : { name, passed: false, detail: 'not looked at, for want of a sandbox' },
  )
}

/** A look that gives what it found, or throws what is wrong. */
function probe(name: ProbeName, look: () => string): Probe {
  try {
    return { name, passed: true, detail: look() }
  } catch (error) {
    return { name, passed: false, detail: systemCode(error), mend: mends[name] }
  }
}

/** The shell moves its descriptors about for a moment; what it inherited stays. */
async function settled(look: () => Probe, clock: Clock): Promise<Probe> {
  let found = look()
  for (let tries = 0; !found.passed && tries < 50; tries++) {
    await sleep(2, { clock })
    found = look()
  }
  return found
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

function lookAtNamespaces(process: number): string {
  const shared = kinds.filter(
    (kind) => readlinkSync(`/proc/${process}/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`),
  )
  demand(shared.length === 0, `shared with the host: ${shared.join(', ')}`)
  return `own ${kinds.join(', ')}`
}

function lookAtIdentity(process: number): string {
  const status = statusOf(process)
  const ids = `${status('Uid')} ${status('Gid')}`.split(/\s+/)
  demand(!ids.includes('0'), `it is root outside: ${ids.join(' ')}`)
  const held = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].filter((name) => !/^0+$/.test(status(name)))
  demand(held.length === 0, `it holds capabilities: ${held.join(', ')}`)
  demand(status('NoNewPrivs') === '1', 'it could gain rights')
  return `user ${ids[0]}, no capabilities, no way to gain any`
}

function lookAtNetwork(process: number): string {
  const interfaces = readFileSync(`/proc/${process}/net/dev`, 'utf8').match(/^\s*[^\s|]+(?=:)/gm) ?? []
  const others = interfaces.map((each) => each.trim()).filter((each) => each !== 'lo')
  demand(others.length === 0, `it has ${others.join(', ')}`)
  return 'a loopback of its own'
}

const ownVariables = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'MPLBACKEND', 'PWD', 'OLDPWD', 'SHLVL', '_']

function lookAtInheritance(process: number, first: number): string {
  for (const each of [process, first]) {
    const names = readFileSync(`/proc/${each}/environ`, 'utf8')
      .split('\0')
      .map((pair) => pair.split('=')[0] ?? '')
    const foreign = names.filter((name) => name !== '' && !ownVariables.includes(name))
    demand(foreign.length === 0, `it inherited ${foreign.join(', ')}`)
  }
  // What the shell keeps of its own it opened again under a higher number.
  const targets = readdirSync(`/proc/${process}/fd`).map(
    (each) => [Number(each), readlinkSync(`/proc/${process}/fd/${each}`)] as const,
  )
  const own = ['/dev/null', ...targets.filter(([descriptor]) => descriptor <= 4).map(([, target]) => target)]
  const foreign = targets.filter(([, target]) => !own.includes(target))
  demand(foreign.length === 0, `it inherited ${foreign.map(([, target]) => target).join(', ')}`)
  return 'no variable and no descriptor of this process'
}

function lookAtFilter(process: number): string {
  const status = statusOf(process)
  demand(status('Seccomp') === '2', 'no filter of system calls is on')
  return 'system calls are filtered'
}

function lookAtLimits(process: number, { home }: Ground): string {
  if ('because' in home) throw new Error(`no cgroup can be made: ${home.because}`)
  const groups = readFileSync(`/proc/${process}/cgroup`, 'utf8').match(/\/tellurion-sandbox-\d+-\d+$/gm) ?? []
  demand(groups.length >= (home.version === 1 ? 2 : 1), 'it is not in its cgroup')
  return `memory and processes bounded by cgroups, version ${home.version}`
}

/** What the host has and the sandbox must not see. */
function unseen(): readonly string[] {
  const paths = [
    '/etc/passwd',
    '/etc/shadow',
    '/root',
    '/home',
    '/var',
    '/sys',
    '/run',
    '/boot',
    homedir(),
    process.cwd(),
  ]
  return paths.filter((path) => existsSync(path) && !/\s/.test(path) && !inPlain(path))
}

/** What is mounted, and what has the names of folders inside. */
function inPlain(path: string): boolean {
  return (
    path === '/' ||
    path === tmpdir() ||
    ['/usr', '/tmp', '/opt', '/work', '/dev'].some((each) => path === each || path.startsWith(`${each}/`))
  )
}

function lookAtFiles(said: readonly string[]): string {
  const wrong = said.filter((line) => !line.startsWith('has '))
  demand(wrong.length === 0, wrong.join('; '))
  return 'the system read-only, nothing of the host but it'
}

function lookForSurvivors(children: readonly Descendant[]): string {
  demand(children.length >= 3, 'it could not be filled with processes')
  const alive = children.filter(({ pid, start }) => processOf(pid)?.start === start)
  for (const { pid } of alive) endProcess(pid)
  demand(alive.length === 0, `still alive: ${alive.map(({ pid }) => pid).join(', ')}`)
  return `${children.length} processes ended with it, also those that had left their group`
}

/** What should have ended with its namespace is not left behind either. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended since.
  }
}

/** Gives the script its word, and what it says until it is done. */
function conversation({ requests, replies, stdout, ended }: Confinement, clock: Clock): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let text = ''
    stdout.on('data', (bytes: Buffer) => {
      text = (text + bytes.toString()).slice(0, 10_000)
    })
    // What was said before the reply is there by the next turn of the loop.
    replies.once('data', () => clock.timer(1, () => resolve(text.split('\n').filter((line) => line !== ''))))
    void ended.then(() => reject(new Error('the self-test ended early')))
    requests.write('go\n')
  })
}

interface Descendant {
  readonly pid: number
  readonly parent: number
  /** When it was started: its number may be another's later. */
  readonly start: string
}

/** All that come from a process, itself included. */
function descendants(pid: number): readonly Descendant[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? [])
  const found = all.filter((each) => each.pid === pid)
  for (const each of found) found.push(...all.filter(({ parent }) => parent === each.pid))
  return found
}

function processOf(pid: number): Descendant | undefined {
  try {
    // Its name, in brackets, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return fields[0] === 'Z' ? undefined : { pid, parent: Number(fields[1]), start: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

/** The program that the first process of a namespace started. */
function firstChild(pid: number): number {
  return descendants(pid).find(({ parent }) => parent === pid)?.pid ?? pid
}

function statusOf(pid: number): (name: string) => string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return (name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''
}
