// A data analyst that runs Python on a table, in a sandbox that keeps its state between calls. Where this machine cannot
// isolate, there is no Python tool, and the example says so. (LOOM-55, LOOM-62, ECS-88)

import { Agent } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { codeTools, createSandbox } from 'tellurion/sandbox'
import { scriptedModel } from 'tellurion/testing'

const sales = `region,month,sum
north,1,120
south,1,80
north,2,150
south,2,60
`

await using sandbox = await createSandbox({ limits: { timeout: 20_000 } })
console.log(`The sandbox here is '${sandbox.level}' and runs: ${sandbox.languages.join(', ') || 'nothing'}.`)
// prints: The sandbox here is

const tools = codeTools(sandbox, { files: { 'sales.csv': sales } })
if (tools['runPython'] === undefined) {
  for (const { detail, mend = '' } of sandbox.probes) if (mend !== '') console.log(`No Python: ${detail}. ${mend}`)
}

const python = (...lines: string[]) => ({ calls: [{ toolName: 'runPython', input: { code: lines.join('\n') } }] })
const script = scriptedModel([
  python(
    'import csv, collections',
    'rows = list(csv.DictReader(open("sales.csv")))',
    'sums = collections.Counter()',
    'for row in rows: sums[row["region"]] += int(row["sum"])',
    'dict(sums)',
  ),
  // What the first call made is still there.
  python(
    'with open("sums.csv", "w") as out:',
    '    for each in sums.items(): print(*each, sep=",", file=out)',
    'max(sums, key=sums.get)',
  ),
  'The north sold most: 270.',
])
const analyst = new Agent({
  name: 'analyst',
  instructions: 'Answer from sales.csv, by running code.',
  model: modelFromEnv() ?? script,
  tools,
})

const { text, messages } = await analyst.generate('Which region sold most?')
for (const message of messages) {
  if (message.role === 'tool')
    console.log(`${message.toolName}: ${String(message.content)}`, message.kept?.[0]?.name ?? '')
}
console.log(text)
// prints: The north sold most: 270.
