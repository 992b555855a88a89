import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import { TellurionError } from 'tellurion'
import { namesOf, networkOf } from './network.ts'

describe('from where requests may come', () => {
  test('is read in the form in which requests say it', () => {
    const hosts = ['Agents.Example.com', 'agents:8443', '10.0.0.7', '[FD00::1]', '[::1]:8000', 'my_host']
    const origins = [
      ['https://app.example.com', 'https://app.example.com'],
      ['https://App.Example.com/', 'https://app.example.com'],
      ['https://app.example.com:443', 'https://app.example.com'],
      ['http://localhost:5173', 'http://localhost:5173'],
      ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
    ] as const
    assert.deepEqual(networkOf({ hosts, origins: origins.map(([given]) => given) }), {
      hosts: hosts.map((name) => name.toLowerCase()),
      origins: origins.map(([, read]) => read),
    })
    assert.deepEqual(networkOf(), { hosts: [], origins: [] })
  })

  for (const given of ['*', '*.example.com', 'https://agents.example.com', 'a/b', 'a b', '::1', ''])
    test(`no request names the host '${given}'`, () =>
      assert.throws(() => networkOf({ hosts: [given] }), isRefused(`'${given}' is no host`)))

  for (const given of ['*', 'null', 'app.example.com', 'https://a.example/app', 'https://*.example', 'https://u@a', ''])
    test(`no page has the origin '${given}'`, () =>
      assert.throws(() => networkOf({ origins: [given] }), isRefused(`'${given}' is no origin`)))
})

describe('the names of an address that is listened on', () => {
  const own = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? [])

  test('are itself, as requests write it', () => {
    assert.deepEqual(namesOf('Agents.Local'), ['agents.local'])
    assert.deepEqual(namesOf('10.0.0.7'), ['10.0.0.7'])
    assert.deepEqual([namesOf('FD00::7'), namesOf('[fd00::7]')], [['[fd00::7]'], ['[fd00::7]']])
  })

  for (const all of ['0.0.0.0', '::'])
    test(`are every address of the machine for ${all}`, () => {
      const names = namesOf(all)
      for (const address of own) assert.ok(names.includes(isIPv6(address) ? `[${address}]` : address), address)
    })
})

const isRefused = (words: string) => (error: unknown) =>
  error instanceof TellurionError && error.code === 'invalid_option' && error.message.startsWith(words)
