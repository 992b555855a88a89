// A server to load, in a process of its own, and what all who load it do: small, or all of it with `LOAD=full`.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunResource } from 'tellurion/protocol'
import { systemClock } from 'tellurion/world'
import { serve, token, type Served, type ServedOptions } from '../bench/served.ts'

const isFull = process.env['LOAD'] === 'full'

/** How much is done: in the suite, or by hand in minutes. */
export const size = (small: number, full: number): number => (isFull ? full : small)

/** Of a test. */
export const timeout = isFull ? 600_000 : 200_000

/** Limits of a server for those who ask more often than people. */
export const noRate = { requests: 100_000_000, burst: 1_000_000 }

/** A server that is gone when the test is over, however that ends. */
export async function served(t: TestContext, options: ServedOptions): Promise<Served> {
  const server = await serve(options)
  t.after(() => server.kill())
  return server
}

/** Of a request of the only user. */
export const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }

/** Asks, and gives what is answered well. */
export async function ask<T>({ url }: Pick<Served, 'url'>, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}/api/v1${path}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

/** A run that writes events until the server is told to end it: bursts of so many characters. */
export async function beginWriting(
  server: Served,
  input: { readonly length: number; readonly every: number; readonly burst: number },
): Promise<string> {
  return (await ask<RunResource>(server, '/runs', { agent: 'writer', input: JSON.stringify(input) })).id
}

/** The run when it has ended. */
export async function untilEnded(server: Served, run: string): Promise<RunResource> {
  await ask(server, `/runs/${run}/result`)
  return ask(server, `/runs/${run}`)
}

/** Waits until something is so. */
export async function until(holds: () => Promise<boolean>, what: string, patience = 20_000): Promise<void> {
  const last = systemClock.monotonic() + patience
  while (!(await holds())) {
    assert.ok(systemClock.monotonic() < last, `it never came to be: ${what}`)
    await sleep(50)
  }
}

/** 1, 2, 3 and so on. */
export const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)
