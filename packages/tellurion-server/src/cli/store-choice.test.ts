import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chooseStore, mustExist } from './store-choice.ts'

describe('chooseStore', () => {
  const paths: readonly [url: string, path: string][] = [
    ['sqlite:./x.db', './x.db'],
    ['sqlite:///./x.db', './x.db'],
    ['sqlite:x.db', 'x.db'],
    ['sqlite:///x.db', 'x.db'],
    ['sqlite:/tmp/x.db', '/tmp/x.db'],
    ['sqlite:////tmp/x.db', '/tmp/x.db'],
    ['SQLite:C:\\x.db', 'C:\\x.db'],
  ]
  for (const [url, path] of paths) test(url, () => assert.equal(chooseStore(url, {}).path, path))

  test('takes the option, then DATABASE_URL, then a file under ./data', () => {
    const env = { DATABASE_URL: 'sqlite:///./env.db' }
    assert.equal(chooseStore('sqlite:./flag.db', env).path, './flag.db')
    assert.equal(chooseStore(undefined, env).path, './env.db')
    assert.equal(chooseStore(undefined, { DATABASE_URL: ' ' }).path, './data/tellurion.db')
  })

  const refused: readonly [url: string, words: RegExp][] = [
    ['redis://localhost', /redis:\/\/ is not available yet; use a file: --store sqlite:/],
    ['postgres://u:p@host/db', /postgres:\/\/ is not available yet/],
    ['postgresql://host/db', /not available yet/],
    ['memory:', /in memory would end with this command/],
    ['memory', /in memory would end/],
    ['sqlite:', /names no file: write sqlite:\.\/data/],
    ['sqlite::memory:', /names no file/],
    ['sqlite://host/x.db', /names no file/],
    ['sqlite:x.db?mode=ro', /names no file/],
    ['./x.db', /'\.\/x\.db' is no store: write sqlite:/],
    ['mysql://x', /is no store/],
  ]
  for (const [url, words] of refused)
    test(`refuses ${url}`, () => assert.throws(() => chooseStore(url, {}), { name: 'UsageError', message: words }))

  test('says when the variable is at fault, and keeps its secrets', () => {
    const { message } = faultOf(() => chooseStore(undefined, { DATABASE_URL: 'postgres://u:hush@host/db' }))
    assert.match(message, /^DATABASE_URL: A store on postgres:/)
    assert.doesNotMatch(message, /hush/)
  })

  test('a store that is not there is not made by looking', () => {
    assert.throws(() => mustExist(chooseStore('sqlite:./absent.db', {})), /no store at \.\/absent\.db: 'tellurion runs/)
  })
})

function faultOf(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    return error as Error
  }
  throw new Error('it did not throw')
}
