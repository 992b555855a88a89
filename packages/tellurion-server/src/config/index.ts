// The door `tellurion-server/config`: the configuration of a server, read and checked.

export { loadConfig } from './load.ts'
export type { LoadedConfig, LoadOptions } from './load.ts'
export type { Source } from './layer.ts'
export { defineConfig } from './schema.ts'
export type { AgentContext, Configuration, ConfigurationInput, ConfiguredAgents } from './schema.ts'
export { localToken, type LocalToken } from './token.ts'
export { usersOf, type ConfiguredUser } from './user.ts'
export { namedModel, type NamedModel } from './model-variable.ts'
