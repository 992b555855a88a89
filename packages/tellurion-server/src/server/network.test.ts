import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from 'tellurion'
import { networkOf } from './network.ts'

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

const isRefused = (words: string) => (error: unknown) =>
  error instanceof TellurionError && error.code === 'invalid_option' && error.message.startsWith(words)
