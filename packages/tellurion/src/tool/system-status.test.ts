import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { describe, test } from 'node:test'
import { containerLimits, type ContainerLimits } from './container-limit.node.ts'
import { systemStatus, systemStatusTool } from './system-status.node.ts'
import { createToolbox } from './toolbox.ts'

type Files = Readonly<Record<string, string>>

const limitsOf = (files: Files): Promise<ContainerLimits | undefined> => containerLimits(async (path) => files[path])
const root = '/sys/fs/cgroup'

describe('the limits of a container', () => {
  const rows: readonly [what: string, files: Files, limits: ContainerLimits | undefined][] = [
    ['none where nothing can be read', {}, undefined],
    [
      'none where there are none',
      { '/proc/self/cgroup': '0::/\n', [`${root}/memory.max`]: 'max\n', [`${root}/cpu.max`]: 'max 100000\n' },
      undefined,
    ],
    [
      'of version 2, in a container of its own namespace',
      {
        '/proc/self/cgroup': '0::/\n',
        [`${root}/memory.max`]: '268435456\n',
        [`${root}/memory.current`]: '1048576\n',
        [`${root}/pids.max`]: '64\n',
        [`${root}/pids.current`]: '3\n',
        [`${root}/cpu.max`]: '150000 100000\n',
      },
      { memory: { limit: 268435456, used: 1048576 }, processes: { limit: 64, used: 3 }, cpus: 1.5 },
    ],
    [
      'the tightest of the groups around it',
      {
        '/proc/self/cgroup': '0::/pod/box\n',
        [`${root}/pod/box/memory.max`]: 'max\n',
        [`${root}/pod/box/cpu.max`]: '400000 100000\n',
        [`${root}/pod/memory.max`]: '1000\n',
        [`${root}/pod/memory.current`]: '10\n',
        [`${root}/pod/cpu.max`]: '200000 100000\n',
        [`${root}/memory.max`]: '9000\n',
        [`${root}/memory.current`]: '20\n',
      },
      { memory: { limit: 1000, used: 10 }, cpus: 2 },
    ],
    [
      'of a group that is seen from outside',
      { '/proc/self/cgroup': '0::/../other\n', [`${root}/pids.max`]: '9\n', [`${root}/pids.current`]: '1\n' },
      { processes: { limit: 9, used: 1 } },
    ],
    [
      'of version 1',
      {
        '/proc/self/cgroup': '4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n2:pids:/docker/x\n',
        [`${root}/memory/memory.limit_in_bytes`]: '5000\n',
        [`${root}/memory/memory.usage_in_bytes`]: '50\n',
        [`${root}/cpu/docker/x/cpu.cfs_quota_us`]: '50000\n',
        [`${root}/cpu/docker/x/cpu.cfs_period_us`]: '100000\n',
        [`${root}/pids/docker/x/pids.max`]: 'max\n',
        [`${root}/pids/docker/x/pids.current`]: '1\n',
      },
      { memory: { limit: 5000, used: 50 }, cpus: 0.5 },
    ],
    [
      'of version 1 without any',
      {
        '/proc/self/cgroup': '4:memory:/\n3:cpu,cpuacct:/\n',
        [`${root}/memory/memory.limit_in_bytes`]: '9223372036854771712\n',
        [`${root}/memory/memory.usage_in_bytes`]: '50\n',
        [`${root}/cpu/cpu.cfs_quota_us`]: '-1\n',
        [`${root}/cpu/cpu.cfs_period_us`]: '100000\n',
      },
      undefined,
    ],
    [
      'not what is no number',
      {
        '/proc/self/cgroup': 'nonsense\n0::/\n::\n',
        [`${root}/memory.max`]: '12 34',
        [`${root}/memory.current`]: '1',
        [`${root}/pids.max`]: '-5',
        [`${root}/pids.current`]: '1',
        [`${root}/cpu.max`]: '100000 0',
      },
      undefined,
    ],
  ]
  for (const [what, files, limits] of rows)
    test(what, async () => {
      assert.deepEqual(await limitsOf(files), limits)
    })
})

describe('the status of the system', () => {
  test('has the numbers of this process, of its machine and of its container', async () => {
    const files: Files = { '/proc/self/cgroup': '0::/', [`${root}/pids.max`]: '9', [`${root}/pids.current`]: '1' }
    const { process: own, machine, container } = await systemStatus({ read: async (path) => files[path] })
    assert.equal(own.node, process.versions.node)
    const { resident, heapUsed, heapTotal } = own.memory
    assert.ok(resident > heapUsed && heapTotal >= heapUsed / 2 && heapUsed > 1_000_000)
    assert.ok(own.uptime > 0 && own.cpu.user > 0 && machine.uptime > own.uptime / 2)
    assert.ok(machine.processors >= 1 && machine.memory.total > machine.memory.free && machine.load.length === 3)
    if (process.platform === 'linux') assert.deepEqual(container, { processes: { limit: 9, used: 1 } })
  })

  test('counts what keeps the process busy, by kind', async () => {
    const servers = async (): Promise<number> => (await systemStatus()).process.handles['TCPServerWrap'] ?? 0
    const before = await servers()
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    assert.equal(await servers(), before + 1)
    await new Promise((closed) => server.close(closed))
    assert.equal(await servers(), before)
  })

  test('is a tool that only reads, and tells no names', async () => {
    const toolbox = createToolbox([systemStatusTool()])
    assert.deepEqual(toolbox.names(), ['systemStatus'])
    assert.deepEqual(toolbox.get('systemStatus')?.effects, { mode: 'read', repeat: 'safe', risk: [], declared: false })
    const { content, isError } = await toolbox.execute('systemStatus', {})
    assert.equal(isError, undefined)
    const text = String(content)
    assert.ok(JSON.parse(text).machine.memory.total > 0)
    for (const name of [process.cwd(), `"${hostname()}"`, process.env['HOME'] ?? '/root']) {
      assert.ok(!text.includes(name), name)
    }
    assert.equal((await toolbox.execute('systemStatus', { path: '/etc' })).code, 'tool_input_invalid')
  })
})
