// `docs/configuration.md`: every setting out of the schema, with what a person must know before. `npm run generate` writes
// it and `test/catalogue.test.ts` keeps it equal.

import { settings } from '../packages/tellurion-server/src/config/load.ts'
import type { Setting } from '../packages/tellurion-server/src/config/row.ts'
import { page, row, table } from './page.ts'

const promise =
  'One schema knows every setting of the server and of its workers: what it is called, what it accepts and what holds without it. `tellurion doctor` says what is set, by what, and what is missing.'

const prose = `Each setting comes from the first of these that gives it:

1. the command line (or the argument of \`loadConfig({ given })\`),
2. the environment,
3. the file \`.env\` in the folder where the command runs,
4. the configuration file,
5. its default.

The configuration file is \`tellurion.config.ts\`, \`.js\` or \`.json\` in that folder; \`--config\` or \`TELLURION_CONFIG\` name another.
Relative paths are relative to that folder too. A setting that does not exist is an error that suggests the nearest one; so is a
variable that begins with \`TELLURION_\`. Durations have a unit (\`250ms\`, \`30s\`, \`5m\`, \`24h\`, \`7d\`), sizes may (\`512KB\`,
\`100MB\`), lists in variables are separated by commas. An empty variable counts as not set. Secrets show as \`[redacted]\` wherever
they are printed.

\`\`\`json
{
  "server": { "port": 9000, "hosts": ["agents.example.com"] },
  "store": { "url": "sqlite:./data/tellurion.db" },
  "runs": { "timeout": "10m", "maxConcurrent": 20 },
  "users": [{ "name": "ada", "tokenVariable": "ADA_TOKEN", "scopes": ["read", "write"] }],
  "budgets": { "user": { "tokens": 1000000, "per": "24h" } }
}
\`\`\`

A \`.ts\` file needs no build and brings agents of its own. It is the operator's program: it is imported and runs.

\`\`\`ts
import { Agent } from 'tellurion'
import { defineConfig } from 'tellurion-server/config'

export default defineConfig({
  server: { port: 9000 },
  // Or a list of agents. The model is the one that the settings below name, with \`.env\` read.
  agents: ({ model }) => [new Agent({ name: 'guide', model, instructions: 'Be brief.' })],
})
\`\`\`

**Users.** The token of the user \`local\`, who may do everything, is \`TELLURION_TOKEN\`; without it the server makes one at its first
start and keeps it in \`server.tokenFile\`, which only its owner can read. Other users stand under \`users\`, each with a \`name\`,
\`scopes\` (\`read\`, \`write\`, \`admin\`; each holds those before it) and one of \`token\`, \`tokenHash\` (its SHA-256 in hex) and
\`tokenVariable\` (the variable that holds it). A token has at least 16 characters. A \`tenant\` shares an account of \`budgets.tenant\`.

**The model.** What the environment names goes first (\`LLM_*\`, \`LOOM_*\`, \`DEFAULT_MODEL_PROVIDER\`), then the file, then the first
vendor with a key, then the built-in demo. [Models](models.md) has the vendors and their own variables.

**Folders** are made when something is written there: the store's, the log's and the token's. Sessions and caches live in the store.
`

/** `docs/configuration.md`. */
export function configurationPage(all: readonly Setting[] = settings()): string {
  const groups = Map.groupBy(all, ({ path }) => (path.length > 2 ? path.slice(0, -1) : path.slice(0, 1)).join('.'))
  const sections = [...groups].map(([name, members]) => {
    const rows = members.map((member) =>
      row(
        code([member.path.join('.')]),
        code([...(member.variables ?? []), ...(member.option === undefined ? [] : [member.option])]),
        defaultOf(member),
        member.meaning,
      ),
    )
    return `## \`${name}\`\n\n${table(['Setting', 'Variable, option', 'Default', 'Meaning'], rows)}`
  })
  return page('Configuration', promise, `${prose}\n${sections.join('\n\n')}`)
}

function defaultOf({ default: value, otherwise, secret }: Setting): string {
  if (otherwise !== undefined) return otherwise
  if (value === undefined || secret === true) return ''
  return code([typeof value === 'string' ? value : JSON.stringify(value)])
}

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')
