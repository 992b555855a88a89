// Loaded before each test file: a process that goes on after its last test says what keeps it and fails, instead of
// keeping the whole suite.

import { after } from 'node:test'

/** Milliseconds a process may go on after its last test; `LINGER_GRACE` says another number. */
const grace = Number(process.env['LINGER_GRACE'] ?? 20_000)

if (process.env['NODE_TEST_CONTEXT']?.startsWith('child') === true) {
  after(() => {
    const complain = (): void => {
      const open = process.getActiveResourcesInfo().join(', ')
      console.error(`This process goes on ${grace / 1000} s after its last test, kept by: ${open}.`)
      console.error('A test that failed, or one that closes not what it opened, leaves that behind.')
      process.exit(1)
    }
    setTimeout(complain, grace).unref()
  })
}
