// A project as `tellurion init` writes it: an agent with a tool, its test, and a server's configuration. Everything in it
// runs as it is, without a key.

/** What differs from project to project. */
export interface ScaffoldOptions {
  /** A name that npm takes. */
  readonly name: string
  /** Where the two packages come from: a range of versions, or a path. */
  readonly packages: { readonly tellurion: string; readonly 'tellurion-server': string }
}

/** The files of a project: path → text. */
export function scaffold({ name, packages }: ScaffoldOptions): Readonly<Record<string, string>> {
  return {
    'package.json': json({
      name,
      version: '0.1.0',
      private: true,
      type: 'module',
      scripts: {
        start: 'tellurion serve',
        chat: 'tellurion chat --server http://127.0.0.1:8000',
        doctor: 'tellurion doctor',
        // An older Node finds no test in TypeScript, and is content.
        pretest: `node -e "${checkNode}"`,
        test: 'node --test',
        types: 'tsc',
      },
      dependencies: packages,
      devDependencies: { '@types/node': '^24.0.0', typescript: '^7.0.0' },
      engines: { node: '>=24' },
    }),
    'tsconfig.json': json({
      compilerOptions: {
        target: 'es2024',
        module: 'nodenext',
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        erasableSyntaxOnly: true,
        verbatimModuleSyntax: true,
        types: ['node'],
        skipLibCheck: true,
      },
    }),
    'agent.ts': agent,
    'agent.test.ts': test,
    'tellurion.config.ts': config,
    '.env.example': env,
    '.gitignore': 'node_modules/\ndata/\n.env\n',
    // As links, the two packages would find each other where they were built, and not here.
    ...(isPath(packages.tellurion) ? { '.npmrc': 'install-links=true\n' } : {}),
    'README.md': readme(name),
  }
}

const isPath = (range: string): boolean => range.startsWith('file:')

/** A program of one line, for a shell of any system. */
const checkNode = "if (parseInt(process.versions.node) < 24) throw 'Node 24 or newer is needed'"

/** A text without its margin of two blanks. */
function file(text: string): string {
  return text.slice(1).replace(/^ {2}/gm, '')
}

const agent = file(`
  // The agent: its instructions and what it can do.

  import { Agent, isStepCount, tool, type Model } from 'tellurion'

  /** Converts temperatures. */
  export const convert = tool({
    description: 'Converts a temperature from degrees Celsius to degrees Fahrenheit.',
    inputSchema: {
      type: 'object',
      properties: { celsius: { type: 'number' } },
      required: ['celsius'],
      additionalProperties: false,
    },
    effects: 'read',
    execute: ({ celsius }) => ({ fahrenheit: (Number(celsius) * 9) / 5 + 32 }),
  })

  /** Makes the agent for a model: the configured one in the server, a scripted one in tests. */
  export function createGuide(model: Model): Agent {
    return new Agent({
      name: 'guide',
      model,
      instructions: 'Answer briefly. Convert temperatures with the tool, never in your head.',
      tools: { convert },
      stopWhen: isStepCount(10),
    })
  }
`)

const test = file(`
  // A test of the agent: a scripted model plays the part of the real one, so it needs no key and costs nothing.

  import assert from 'node:assert/strict'
  import { test } from 'node:test'
  import { scriptedModel } from 'tellurion/testing'
  import { createGuide } from './agent.ts'

  test('the guide converts with its tool', async () => {
    const model = scriptedModel([
      { calls: [{ toolName: 'convert', input: { celsius: 100 } }] },
      'Water boils at 212 °F.',
    ])
    const result = await createGuide(model).generate('At what temperature does water boil?')
    assert.equal(result.text, 'Water boils at 212 °F.')
    const told = result.messages.find(({ role }) => role === 'tool')
    assert.match(JSON.stringify(told?.content), /212/)
  })

  test('the guide is told when it calls the tool wrongly', async () => {
    const model = scriptedModel([{ calls: [{ toolName: 'convert', input: { celsius: 'hot' } }] }, 'How hot exactly?'])
    const result = await createGuide(model).generate('Convert hot.')
    assert.equal(result.text, 'How hot exactly?')
  })
`)

const config = file(`
  // The server's configuration. Environment variables and .env win over it; \`npm run doctor\` shows what holds.

  import { defineConfig } from 'tellurion-server/config'
  import { createGuide } from './agent.ts'

  export default defineConfig({
    // The model is what .env names, else a built-in demo that needs no key.
    agents: ({ model }) => [createGuide(model)],
  })
`)

const env = file(`
  # Copy this file to .env and fill in what you use. Without any of it the built-in demo model answers.
  # OPENAI_API_KEY=
  # ANTHROPIC_API_KEY=
  # DEFAULT_MODEL_PROVIDER=openai

  # Or any OpenAI-compatible server:
  # LLM_BASE_URL=http://localhost:11434/v1
  # LLM_MODEL=

  # SERVER_PORT=8000
  # DATABASE_URL=sqlite:./data/tellurion.db
`)

const readme = (name: string): string =>
  file(`
  # ${name}

  An agent on Tellurion. It needs Node 24 or newer.

  \`\`\`sh
  npm install
  npm test          # the agent with a scripted model: no key needed
  npm start         # the server: http://127.0.0.1:8000
  npm run chat      # in another terminal
  npm run doctor    # what is on, what is missing, how to mend it
  \`\`\`

  \`agent.ts\` is the agent, \`agent.test.ts\` its test, \`tellurion.config.ts\` the server's configuration. For a real model copy
  \`.env.example\` to \`.env\`. Without one the demo model answers; try: use convert {"celsius": 100}
`)

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`
