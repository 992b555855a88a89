// The program behind the `tellurion` command: this process, its arguments, its exit code.

import { isatty } from 'node:tty'
import { main } from './program.ts'

const terminals = [0, 1, 2].filter((fd) => isatty(fd))

/** Ends by SIGHUP where the terminal is gone: at an exit Node would set its mode, which fails, and abort. */
function leaveTerminal(): void {
  if (terminals.some((fd) => !isatty(fd))) process.kill(process.pid, 'SIGHUP')
}

// Whoever reads the answers may stop reading: that ends the command, and is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  if (error.code === 'EIO') return leaveTerminal()
  process.stderr.write(`tellurion: Standard output cannot be written: ${error.message}.\n`)
  process.exit(1)
})
process.stderr.on('error', () => {})

process.exitCode = await main(process.argv.slice(2), process)
leaveTerminal()
