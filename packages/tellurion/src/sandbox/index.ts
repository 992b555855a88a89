// The door of sandboxes: running code that nobody vouches for, and wrapping commands so that they see little.

export { isolatedCommand } from './isolated-command.ts'
export type { IsolatedCommand, IsolatedCommandOptions } from './isolated-command.ts'
