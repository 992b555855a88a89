// One cell of one workload, run in this process: `node bench/cell.ts w1 tellurion --quick`. Prints its figures as JSON.

import type { Workload } from './workload/workload.ts'

const [id = '', name = '', ...flags] = process.argv.slice(2)
const { default: workload } = (await import(`./workload/${id}.ts`)) as { default: Workload }
const cell = workload.cells[name]
if (cell === undefined) throw new Error(`${id} has no cell '${name}'.`)
console.log(JSON.stringify(await cell({ quick: flags.includes('--quick') })))
