import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createCgroup, findCgroupHome, type CgroupFiles, type CgroupHome } from './cgroup.ts'

/** A kernel with cgroups of version 2, as far as groups are made and divided: folders, and what their files hold. */
class SecondVersion implements CgroupFiles {
  readonly files = new Map<string, string>()
  readonly folders = new Set<string>()
  readonly denied = new Set<string>()
  /** Processes by folder. */
  readonly held = new Map<string, string[]>()

  constructor({ own, shared }: { own: string; shared: readonly string[] }) {
    this.files.set('/proc/self/mountinfo', '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n')
    this.files.set('/proc/self/cgroup', `0::${own}\n`)
    for (let place = `/sys/fs/cgroup${own}`; place.length >= '/sys/fs/cgroup'.length; place = dirname(place)) {
      this.folders.add(place)
      this.files.set(`${place}/cgroup.subtree_control`, shared.includes(place) ? 'cpu memory pids' : '')
    }
    this.held.set(`/sys/fs/cgroup${own}`, ['1'])
  }

  read(path: string): string {
    const text = this.files.get(path)
    if (text === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' })
    return text
  }

  write(path: string, text: string): void {
    const folder = dirname(path)
    if (this.denied.has(folder)) throw Object.assign(new Error('no'), { code: 'EACCES' })
    if (path.endsWith('cgroup.procs')) this.held.set(folder, [...(this.held.get(folder) ?? []), text])
    else if (path.endsWith('cgroup.kill')) this.held.delete(folder)
    else if (path.endsWith('subtree_control')) {
      // No group has both processes and groups below it.
      if ((this.held.get(folder) ?? []).length > 0) throw Object.assign(new Error('busy'), { code: 'EBUSY' })
      this.files.set(path, 'memory pids')
    } else if (this.files.has(path)) this.files.set(path, text)
    else throw Object.assign(new Error('none'), { code: 'ENOENT' })
  }

  async writeLater(path: string, text: string): Promise<void> {
    this.write(path, text)
  }

  make(path: string): void {
    if (this.denied.has(dirname(path))) throw Object.assign(new Error('no'), { code: 'EACCES' })
    this.folders.add(path)
    const shared = this.read(`${dirname(path)}/cgroup.subtree_control`).includes('memory')
    for (const name of shared ? ['memory.max', 'memory.swap.max', 'pids.max'] : [])
      this.files.set(`${path}/${name}`, 'max')
    this.files.set(`${path}/memory.events`, 'low 0\nmax 3\noom 1\noom_kill 0\n')
  }

  remove(path: string): void {
    if ((this.held.get(path) ?? []).length > 0) throw Object.assign(new Error('busy'), { code: 'EBUSY' })
    if (!this.folders.delete(path)) throw Object.assign(new Error('none'), { code: 'ENOENT' })
  }

  list(path: string): readonly string[] {
    return [...this.folders].filter((each) => dirname(each) === path).map((each) => each.slice(path.length + 1))
  }

  /** The groups that we made. */
  get made(): readonly string[] {
    return [...this.folders].filter((each) => each.includes('tellurion'))
  }
}

const root = '/sys/fs/cgroup'
const limits = { memory: 1 << 28, processes: 64 }

describe('findCgroupHome', () => {
  const places: readonly (readonly [string, ConstructorParameters<typeof SecondVersion>[0], string])[] = [
    ['its own group, where that is divided already', { own: '/app', shared: [`${root}/app`] }, `${root}/app`],
    ['the group above, where its own holds processes', { own: '/app/main', shared: [`${root}/app`] }, `${root}/app`],
    ['the top, where nothing between is divided', { own: '/a/b/c', shared: [root] }, root],
  ]
  for (const [name, kernel, expected] of places) {
    it(`finds ${name}`, () => {
      const files = new SecondVersion(kernel)
      // What holds processes cannot be divided now.
      for (const place of [`${root}/a/b`, `${root}/app/main`]) files.held.set(place, ['1'])
      assert.deepEqual(findCgroupHome(files), { version: 2, memory: expected, pids: expected })
      assert.deepEqual(files.made, [])
    })
  }

  it('says why there is none', () => {
    const files = new SecondVersion({ own: '/app', shared: [root] })
    files.denied.add(root).add(`${root}/app`)
    assert.deepEqual(findCgroupHome(files), { because: `${root}/app: EACCES` })
    files.files.set('/proc/self/mountinfo', '1 1 0:1 / / rw - ext4 /dev/vda rw\n')
    assert.deepEqual(findCgroupHome(files), { because: 'no cgroups with memory and pids are mounted' })
  })

  it('removes the groups of dead processes, and no others', () => {
    const files = new SecondVersion({ own: '/app', shared: [`${root}/app`] })
    const alive = `${root}/app/tellurion-sandbox-4000001-0`
    files.files.set('/proc/4000001/stat', '4000001 (node) S')
    for (const folder of [alive, `${root}/app/tellurion-sandbox-4000002-7`, `${root}/app/other-1-1`])
      files.folders.add(folder)
    findCgroupHome(files)
    assert.deepEqual(files.made, [alive])
    assert.ok(files.folders.has(`${root}/app/other-1-1`))
  })
})

describe('createCgroup', () => {
  const home: CgroupHome = { version: 2, memory: `${root}/app`, pids: `${root}/app` }

  it('sets limits that it reads back, takes processes in, and tells of memory', async () => {
    const files = new SecondVersion({ own: '/app', shared: [`${root}/app`] })
    const group = createCgroup(home, limits, { files })
    const [folder = ''] = files.made
    assert.deepEqual(
      ['memory.max', 'memory.swap.max', 'pids.max'].map((name) => files.read(`${folder}/${name}`)),
      [`${1 << 28}`, '0', '64'],
    )
    await group.add(42)
    assert.deepEqual(files.held.get(folder), ['42'])
    assert.equal(group.ranOutOfMemory(), false)
    files.files.set(`${folder}/memory.events`, 'oom 1\noom_kill 2\n')
    assert.equal(group.ranOutOfMemory(), true)
    // Removing kills what is left.
    await group.remove()
    assert.deepEqual(files.made, [])
  })

  it('leaves nothing behind where a limit is not taken', () => {
    const files = new SecondVersion({ own: '/app', shared: [`${root}/app`] })
    const read = files.read.bind(files)
    files.read = (path) => (path.endsWith('pids.max') ? 'max' : read(path))
    assert.throws(() => createCgroup(home, limits, { files }), /pids\.max says NaN/)
    assert.deepEqual(files.made, [])
  })

  it('waits a second for its processes, and not for ever', async () => {
    const files = new SecondVersion({ own: '/app', shared: [`${root}/app`] })
    const clock = virtualClock()
    const group = createCgroup(home, limits, { files, clock })
    files.remove = () => {
      throw new Error('busy')
    }
    const gone = group.remove()
    await clock.advance(1_000)
    await gone
  })
})
