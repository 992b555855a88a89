// The corpus of links and special files: whatever stands in the folder, nothing outside is read or changed.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { Json } from '../schema/json.ts'
import { createArtifacts } from '../tool/artifact.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { fileTools } from './file-tools.ts'
import { createWorkspace, type Workspace } from './workspace.ts'

const base = mkdtempSync(join(tmpdir(), 'tellurion-link-'))
after(() => rmSync(base, { recursive: true }))

interface Place {
  readonly root: string
  /** Beside the root, with `secret` in it. */
  readonly outside: string
}

/** What is put into the folder, the path that a tool is given, and what the reading tools say. */
interface Trap {
  readonly name: string
  lay(place: Place): void
  readonly path: string
  readonly says: RegExp
  /** What writing says, where it is another thing; `null` where writing is all right. */
  readonly onWrite?: RegExp | null
}

const link = /symbolic link/
const traps: readonly Trap[] = [
  {
    name: 'a link to a file outside',
    lay: ({ root, outside }) => symlinkSync(join(outside, 'secret'), join(root, 'x')),
    path: 'x',
    says: link,
  },
  {
    name: 'a relative link to a file outside',
    lay: ({ root }) => symlinkSync('../outside/secret', join(root, 'x')),
    path: 'x',
    says: link,
  },
  {
    name: 'a link to a folder outside',
    lay: ({ root, outside }) => symlinkSync(outside, join(root, 'x')),
    path: 'x/secret',
    says: link,
  },
  {
    name: 'a link to the root of the system',
    lay: ({ root }) => symlinkSync('/', join(root, 'x')),
    path: 'x/etc/passwd',
    says: link,
  },
  {
    name: 'a link deep in folders',
    lay: ({ root, outside }) => {
      mkdirSync(join(root, 'a/b'), { recursive: true })
      symlinkSync(outside, join(root, 'a/b/x'))
    },
    path: 'a/b/x/secret',
    says: link,
  },
  {
    name: 'a link to the folder above',
    lay: ({ root }) => symlinkSync('..', join(root, 'x')),
    path: 'x/outside/secret',
    says: link,
  },
  {
    name: 'a link to itself',
    lay: ({ root }) => symlinkSync('x', join(root, 'x')),
    path: 'x',
    says: link,
  },
  {
    name: 'two links in a circle',
    lay: ({ root }) => {
      symlinkSync('y', join(root, 'x'))
      symlinkSync('x', join(root, 'y'))
    },
    path: 'x/a',
    says: link,
  },
  {
    name: 'a chain of links',
    lay: ({ root, outside }) => {
      symlinkSync(outside, join(root, 'a'))
      symlinkSync('a', join(root, 'b'))
      symlinkSync('b', join(root, 'x'))
    },
    path: 'x/secret',
    says: link,
  },
  {
    name: 'a dangling link',
    lay: ({ root, outside }) => symlinkSync(join(outside, 'new'), join(root, 'x')),
    path: 'x',
    says: link,
  },
  {
    name: 'a link to a file inside',
    lay: ({ root }) => symlinkSync('inside.txt', join(root, 'x')),
    path: 'x',
    says: link,
  },
  {
    name: 'a link with a slash behind it',
    lay: ({ root, outside }) => symlinkSync(outside, join(root, 'x')),
    path: 'x/',
    says: link,
  },
  {
    name: 'a link into the process',
    lay: ({ root }) => symlinkSync('/proc/self/environ', join(root, 'x')),
    path: 'x',
    says: link,
  },
  {
    name: 'a link to a descriptor of the process',
    lay: ({ root }) => symlinkSync('/proc/self/fd', join(root, 'x')),
    path: 'x/0',
    says: link,
  },
  {
    name: 'a link to the root of the process',
    lay: ({ root }) => symlinkSync('/proc/self/root', join(root, 'x')),
    path: 'x/etc/passwd',
    says: link,
  },
  {
    name: 'a hard link to a file outside',
    lay: ({ root, outside }) => linkSync(join(outside, 'secret'), join(root, 'x')),
    path: 'x',
    says: /2 names \(hard links\)/,
  },
  {
    name: 'a hard link to a file inside',
    lay: ({ root }) => linkSync(join(root, 'inside.txt'), join(root, 'x')),
    path: 'x',
    says: /2 names \(hard links\)/,
  },
  {
    name: 'a pipe',
    lay: ({ root }) => void execFileSync('mkfifo', [join(root, 'x')]),
    path: 'x',
    says: /no file, but a pipe/,
  },
  {
    name: 'a folder where a file is wanted',
    lay: ({ root }) => mkdirSync(join(root, 'x')),
    path: 'x',
    says: /is a folder/,
  },
  {
    name: 'a file where a folder is wanted',
    lay: ({ root }) => writeFileSync(join(root, 'x'), 'a file'),
    path: 'x/y',
    says: /x is no folder/,
  },
  {
    name: 'nothing',
    lay: () => undefined,
    path: 'gone/x',
    says: /no folder gone/,
    onWrite: null,
  },
  {
    name: 'a link in the place of .git',
    lay: ({ root, outside }) => symlinkSync(outside, join(root, '.git')),
    path: '.git/secret',
    says: link,
    onWrite: /may be read, but not changed/,
  },
]

function laid(name: string, trap: Pick<Trap, 'lay'>): Place {
  const home = join(base, name.replaceAll(/\W+/g, '-'))
  const place = { root: join(home, 'root'), outside: join(home, 'outside') }
  mkdirSync(place.root, { recursive: true })
  mkdirSync(place.outside)
  writeFileSync(join(place.outside, 'secret'), 'canary\n')
  writeFileSync(join(place.root, 'inside.txt'), 'inside\n')
  trap.lay(place)
  return place
}

type Run = (name: string, input: Json) => Promise<{ isError: boolean; content: string }>

function runner(workspace: Workspace): Run {
  const toolbox = createToolbox(fileTools(workspace) as Parameters<typeof createToolbox>[0])
  const results = { artifacts: createArtifacts(memoryKeyValue(), 's') }
  return async (name, input) => {
    const { isError = false, content } = await toolbox.execute(name, input, { results })
    return { isError, content: String(content) }
  }
}

function isUntouched({ outside }: Place): void {
  assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'canary\n')
  assert.ok(!existsSync(join(outside, 'new')))
  assert.ok(!existsSync(join(outside, 'x')))
}

for (const verified of [true, false]) {
  const how = verified ? 'by verified descriptor' : 'where there are no descriptors'
  describe(`a workspace ${how}`, { skip: verified && process.platform !== 'linux' ? 'needs Linux' : false }, () => {
    const made = (root: string): Workspace => ({ ...createWorkspace({ root, allowUnverified: true }), verified })

    for (const trap of traps) {
      it(`is not led astray by ${trap.name}`, async () => {
        const place = laid(`${String(verified)} ${trap.name}`, trap)
        const run = runner(made(place.root))
        const { path } = trap
        const read = await run('readFile', { path })
        assert.ok(read.isError && trap.says.test(read.content), read.content)
        const grep = await run('grepFiles', { pattern: 'canary', path })
        assert.ok(!grep.content.includes('|canary'), grep.content)
        const whole = await run('grepFiles', { pattern: 'canary' })
        assert.match(whole.content, /^Nothing matches/)
        const listed = await run('listFiles', { path })
        assert.ok(!listed.content.includes('secret\n') && !/^secret$/m.test(listed.content), listed.content)
        assert.ok(!(await run('globFiles', { glob: '**' })).content.includes('secret'))
        const says = trap.onWrite === undefined ? trap.says : trap.onWrite
        const attempts: [string, Json][] = [
          ['editFile', { path, edits: [{ at: 'start', text: 'harm' }] }],
          ['deleteFile', { path }],
          ['moveFile', { from: path, to: 'stolen' }],
          ['writeFile', { path, content: 'harm' }],
          ['moveFile', { from: 'inside.txt', to: path }],
        ]
        for (const [name, input] of attempts) {
          const { isError, content } = await run(name, input)
          if (says === null) assert.ok(name === 'writeFile' ? !isError : isError, content)
          else assert.ok(isError && (says.test(content) || /may be read/.test(content)), `${name}: ${content}`)
        }
        isUntouched(place)
      })
    }

    it('refuses a socket and a device', async (t: TestContext) => {
      const place = laid(`${String(verified)} specials`, { lay: () => undefined })
      const run = runner(made(place.root))
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(join(place.root, 's'), resolve))
      try {
        assert.match((await run('readFile', { path: 's' })).content, /no file, but a socket/)
        assert.match((await run('listFiles', {})).content, /s \(no file\)/)
      } finally {
        server.close()
      }
      try {
        execFileSync('mknod', [join(place.root, 'd'), 'c', '1', '3'], { stdio: 'ignore' })
      } catch {
        t.diagnostic('no device was tried: making one takes more rights than this process has')
        return
      }
      assert.match((await run('readFile', { path: 'd' })).content, /no file, but a device/)
      assert.match((await run('writeFile', { path: 'd', content: 'x' })).content, /no file, but a device/)
    })

    it('notices that its root is another folder by now', async () => {
      const place = laid(`${String(verified)} replaced`, { lay: () => undefined })
      const run = runner(made(place.root))
      renameSync(place.root, `${place.root}.old`)
      assert.match((await run('readFile', { path: 'inside.txt' })).content, /root of the workspace cannot be opened/)
      symlinkSync(place.outside, place.root)
      assert.ok((await run('readFile', { path: 'secret' })).isError)
      rmSync(place.root)
      mkdirSync(place.root)
      writeFileSync(join(place.root, 'inside.txt'), 'another')
      assert.match((await run('readFile', { path: 'inside.txt' })).content, /has been replaced/)
    })
  })
}

describe('a root', () => {
  it('may be reached through a link, which is resolved once', async () => {
    const place = laid('linked root', { lay: () => undefined })
    symlinkSync(place.root, join(place.outside, 'way'))
    const workspace = createWorkspace({ root: join(place.outside, 'way') })
    assert.equal(workspace.root, place.root)
    assert.ok(!(await runner(workspace)('readFile', { path: 'inside.txt' })).isError)
  })

  it('shows no names that could not be asked for, or that would forge a line of an answer', async () => {
    const place = laid('names', {
      lay({ root }) {
        writeFileSync(Buffer.concat([Buffer.from(`${root}/bytes`), Buffer.of(0xff)]), 'canary\n')
        writeFileSync(join(root, 'a\nsecret'), 'canary\n')
        writeFileSync(join(root, 'a\u202etxt'), 'canary\n')
        writeFileSync(join(root, 'back\\slash'), 'canary\n')
      },
    })
    const run = runner(createWorkspace({ root: place.root }))
    assert.equal((await run('listFiles', {})).content, 'inside.txt\n[4 could not be looked at]')
    assert.equal((await run('globFiles', { glob: '**' })).content, 'inside.txt\n[4 could not be looked at]')
    assert.match((await run('grepFiles', { pattern: 'canary' })).content, /^Nothing matches\.\n\[4 could not/)
  })

  it('with a mounted view of the kernel in it shows none of that', async (t: TestContext) => {
    const place = laid('mounted', { lay: ({ root }) => mkdirSync(join(root, 'proc')) })
    try {
      execFileSync('mount', ['-t', 'proc', 'proc', join(place.root, 'proc')], { stdio: 'ignore' })
    } catch {
      t.skip('mounting takes more rights than this process has')
      return
    }
    try {
      const run = runner(createWorkspace({ root: place.root }))
      for (const path of ['proc/self/environ', 'proc/1/environ', 'proc/version'])
        assert.match((await run('readFile', { path })).content, /belongs to the kernel/)
      assert.match((await run('listFiles', { path: 'proc' })).content, /belongs to the kernel/)
      assert.match((await run('grepFiles', { pattern: 'Linux' })).content, /Nothing matches.*1 could not be looked at/s)
    } finally {
      execFileSync('umount', [join(place.root, 'proc')])
    }
  })

  it('is left alone where rights are missing, and says so', async (t: TestContext) => {
    const place = laid('locked', { lay: ({ root }) => chmodSync(join(root, 'inside.txt'), 0) })
    if (process.getuid?.() === 0) {
      t.skip('this process may read everything')
      return
    }
    const run = runner(createWorkspace({ root: place.root }))
    assert.match((await run('readFile', { path: 'inside.txt' })).content, /cannot be opened \(EACCES\)/)
  })
})
