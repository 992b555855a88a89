// The door of sandboxes: running code that nobody vouches for, and wrapping commands so that they see little.

export type { CodeRequest } from './code-request.ts'
export { codeTools } from './code-tool.ts'
export type { CodeResult, CodeToolOptions } from './code-tool.ts'
export type { End, Execution, OutputChunk, SandboxFile } from './execution.ts'
export { isolatedCommand } from './isolated-command.ts'
export type { IsolatedCommand, IsolatedCommandOptions } from './isolated-command.ts'
export type { FullLimits, Language, SandboxLimits } from './limit.ts'
export { createSandbox } from './sandbox.ts'
export type { Sandbox, SandboxLevel, SandboxOptions, SandboxSession, SessionOptions } from './sandbox.ts'
export type { Probe, ProbeName } from './probe.ts'
