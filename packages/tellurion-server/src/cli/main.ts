// The program behind the `tellurion` command: this process, its arguments, its exit code.

import { main } from './program.ts'

// Whoever reads the answers may stop reading: that ends the command, and is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(`tellurion: Standard output cannot be written: ${error.message}.\n`)
  process.exit(1)
})
process.stderr.on('error', () => {})

process.exitCode = await main(process.argv.slice(2), process)
