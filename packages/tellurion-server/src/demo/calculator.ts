// The demo's calculator, as a tool.

import { tool } from 'tellurion/tool'
import { evaluate, expressionGrammar, maxExpressionLength } from './expression.ts'

/** A tool that works out an arithmetic expression; rounding errors past 15 digits are not shown. */
export const calculator = tool({
  description: `Works out an arithmetic expression: ${expressionGrammar}.`,
  inputSchema: {
    type: 'object',
    properties: {
      expression: { type: 'string', maxLength: maxExpressionLength, description: 'For example 2 * (3 + 4) ^ 2.' },
    },
    required: ['expression'],
    additionalProperties: false,
  },
  effects: 'read',
  execute: ({ expression }) => String(Number(evaluate(expression).toPrecision(15))),
})
