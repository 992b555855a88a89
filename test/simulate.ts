// One simulated course, step by step, or many: `npm run simulate -- 7` or `npm run simulate -- 1..100000`.

import { simulate } from '../packages/tellurion/src/testing/simulation.ts'

const [from = '1', to] = (process.argv[2] ?? '1').split('..')
const one = to === undefined
let broken = 0
for (let seed = Number(from); seed <= Number(to ?? from); seed++) {
  const course = await simulate({ seed, ...(one ? { onStep: (line: string) => console.log(line) } : {}) })
  if (one) console.log(JSON.stringify(course, null, 2))
  else for (const law of course.broken) console.log(`seed ${seed}: ${law}`)
  if (course.broken.length > 0) broken++
}
console.log(`${broken} of ${Number(to ?? from) - Number(from) + 1} courses broke a law.`)
process.exitCode = broken > 0 ? 1 : 0
