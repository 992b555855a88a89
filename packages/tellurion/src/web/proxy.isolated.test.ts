// Proxies of the environment: Node uses them when it is told to, the way out never does.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createRawServer } from '../testing/raw-server.node.ts'

test('no proxy of the environment is used, which Node itself would use', async () => {
  const proxy = await createRawServer(() => ({ pieces: ['proxy'] }))
  const server = await createRawServer(() => ({ pieces: ['server'] }))
  const program = `
    import { get } from 'node:http'
    import { createEgress } from ${JSON.stringify(new URL('./egress.ts', import.meta.url).href)}
    const url = ${JSON.stringify(server.url)}
    const node = await new Promise((resolve) => get(url, (response) => response.on('data', (data) => resolve(String(data)))))
    const egress = createEgress({ allow: [new URL(url).host] })
    console.log(node, await (await egress(url)).text())
  `
  const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, http_proxy: proxy.url }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env })
  assert.equal(stdout.trim(), 'proxy server')
  assert.equal(proxy.requests.length, 1)
  await Promise.all([proxy.close(), server.close()])
})
