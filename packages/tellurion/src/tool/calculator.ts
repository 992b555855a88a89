// A calculator as a tool: arithmetic for models, which are bad at it.

import { expressionGrammar, evaluate, maxExpressionLength } from './expression.ts'
import { tool } from './tool.ts'

/**
 * A tool that works out an arithmetic expression: whole numbers and decimals exactly, all else to 15 digits. Expressions
 * have at most 200 characters and 50 brackets in each other, so it always ends; what is wrong with one is said with its place.
 */
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
  trust: 'trusted',
  execute: ({ expression }) => evaluate(expression),
})
