// The secrets that a process finds in its configuration and environment, and what it leaves alone.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadConfig } from '../config/load.ts'
import { openLog } from './log-choice.ts'
import { redactorOf } from './redaction.ts'

const folder = mkdtempSync(join(tmpdir(), 'redaction-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const env = {
  OPENAI_API_KEY: 'sk-canary-openai-0123456789',
  ANTHROPIC_API_KEY: 'sk-canary-anthropic-0123456789',
  LLM_API_KEY: 'canary-llm-0123456789',
  TELLURION_TOKEN: 'canary-server-token-0123456789',
  GITHUB_TOKEN: 'ghp_canary0123456789',
  AWS_SECRET: 'canary-aws-0123456789',
  DB_PASSWORD: 'canary-password-0123',
  OTHER_URL: 'postgres://ada:canary-in-url-0123@db.example/app',
  SHORT_KEY: 'short',
  HOME_PAGE_URL: 'https://example.org/page',
  LLM_MODEL: 'gpt-5-and-nothing-secret',
}
const secrets = ['openai', 'anthropic', 'llm', 'server-token', 'canary0123', 'aws', 'password', 'in-url']

describe('what a process keeps to itself', () => {
  test('keys, tokens and passwords of the environment, and no ordinary value', async () => {
    const redactor = redactorOf(await loadConfig({ env, folder }))
    for (const [name, value] of Object.entries(env)) {
      const isOrdinary = ['SHORT_KEY', 'HOME_PAGE_URL', 'LLM_MODEL'].includes(name)
      assert.equal(redactor.text(`it is ${value}`) === `it is ${value}`, isOrdinary, name)
    }
    assert.equal(redactor.text('authentication of canary-in-url-0123 failed'), 'authentication of [redacted] failed')
  })

  test('reach neither the log file nor standard error', async () => {
    const file = join(folder, 'log.jsonl')
    const loaded = await loadConfig({ env: { ...env, LOG_FILE: file }, folder })
    let seen = ''
    const { log, close } = openLog(
      loaded,
      { stderr: { write: (text: string) => ((seen += text), true) } },
      { debug: true },
    )
    for (const value of Object.values(env))
      log.error(`failed with ${value}`, { deep: { url: `https://x/?q=${value}` } })
    close()
    for (const text of [seen, readFileSync(file, 'utf8')]) {
      assert.ok(text.includes('[redacted]') && text.includes('gpt-5-and-nothing-secret'))
      for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} in ${text}`)
    }
  })
})
