// robots.txt: rules, groups and spellings, and sites that are asked once.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createRawServer, type RawReply } from '../testing/raw-server.node.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createEgress } from './egress.ts'
import { parseRobots } from './robots.ts'
import { createSiteRules } from './site-rules.ts'

describe('rules', () => {
  const file = `
    # everybody
    User-agent: *
    Disallow: /private
    Allow: /private/open
    Disallow: /*.pdf$
    Disallow: /a*b
    Disallow: /caf%c3%a9
    Disallow: /%7Euser
    Disallow:
    Sitemap: https://example.com/map

    User-agent: other
    User-agent: Tellurion/1.0
    Disallow: /mine # not yours
    Crawl-delay: 10
    User-agent: third
    Disallow: /third
  `
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['x', '/', true],
    ['x', '/private', false],
    ['x', '/private/deep?x', false],
    ['x', '/privately', false],
    ['x', '/private/open/x', true],
    ['x', '/Private', true],
    ['x', '/doc.pdf', false],
    ['x', '/doc.pdf?x', true],
    ['x', '/axxxb', false],
    ['x', '/café', false],
    ['x', '/caf%C3%A9', false],
    ['x', '/~user', false],
    ['x', '/mine', true],
    ['tellurion', '/mine', false],
    ['TELLURION', '/mine', false],
    ['tellurion', '/private', true],
    ['tellurion', '/third', true],
    ['other', '/mine', false],
    ['third', '/third', false],
    ['third', '/mine', true],
  ]
  for (const [agent, path, allowed] of cases) {
    test(`${agent} ${allowed ? 'may' : 'may not'} read ${path}`, () => {
      assert.equal(parseRobots(file, agent).allows(path), allowed)
    })
  }

  test('of two rules of one length the one that allows counts', () => {
    for (const rules of ['Disallow: /a\nAllow: /a', 'Allow: /a\nDisallow: /a']) {
      assert.equal(parseRobots(`User-agent: *\n${rules}`, 'x').allows('/a'), true)
    }
  })

  test('law: whatever the file, it says yes or no', () => {
    const line = fc.constantFrom(
      'User-agent: *',
      'user-agent:x',
      'Disallow: /',
      'Allow: /*$',
      'Disallow: *a*b*',
      '%',
      ':',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 30 }), fc.string(), (lines, path) => {
        assert.equal(typeof parseRobots(lines.join('\n'), 'x').allows(path), 'boolean')
      }),
    )
  })
})

describe('sites', () => {
  test('are asked once an hour, by name, and say no with the path', async () => {
    const server = await createRawServer(() => ({ pieces: ['User-agent: my-reader\nDisallow: /no'] }))
    const way = createEgress({ allow: [new URL(server.url).host] })
    const clock = virtualClock()
    const check = createSiteRules({ userAgent: 'my-reader/2 (x)', clock })
    const at = (path: string) => check(new URL(path, server.url), way, {})
    await at('/yes')
    await at('/yes')
    await assert.rejects(at('/no/way'), { code: 'page_refused', message: /not to read \/no\/way/ })
    assert.deepEqual(
      server.requests.map(({ path }) => path),
      ['/robots.txt'],
    )
    assert.equal(server.requests[0]!.headers['user-agent'], 'my-reader/2 (x)')
    await clock.advance(3_600_000)
    await at('/yes')
    assert.equal(server.requests.length, 2)
    await server.close()
  })

  const outcomes: readonly (readonly [string, RawReply, string])[] = [
    ['no file: open', { status: 404 }, 'open'],
    ['a closed file: open', { status: 403 }, 'open'],
    ['a server in trouble: closed', { status: 503 }, 'page_refused'],
    ['asked too often: closed', { status: 429 }, 'page_refused'],
    [
      'a file elsewhere that is closed to requests: open',
      { status: 302, headers: { location: 'http://10.0.0.1/' } },
      'open',
    ],
    ['a page in its place: open', { pieces: ['<html>Disallow: nothing'] }, 'open'],
    [
      'a file without an end: its beginning',
      { pieces: ['User-agent: *\nDisallow: /\n', 'x'.repeat(600_000)], ending: 'hang' },
      'page_refused',
    ],
    [
      'an answer that breaks off: its error',
      { headers: { 'content-length': '9' }, pieces: ['User'], ending: 'cut' },
      'egress_failed',
    ],
  ]
  for (const [name, reply, expected] of outcomes) {
    test(name, async () => {
      const server = await createRawServer(() => reply)
      const way = createEgress({ allow: [new URL(server.url).host] })
      const check = createSiteRules({ userAgent: 'x', clock: virtualClock() })
      const outcome = await check(new URL('/page', server.url), way, {}).then(
        () => 'open',
        (error: { code?: string }) => error.code,
      )
      await server.close()
      assert.equal(outcome, expected)
    })
  }
})
