// Arithmetic: an expression read and worked out in one pass. Bounded in length and depth, so in time; nothing is ever
// evaluated as code.

import { TellurionError } from '../error/error.ts'

/** The longest expression, in characters. */
export const maxExpressionLength = 200
/** How deep brackets, signs and powers may stand in each other. */
const maxDepth = 50

const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E }
const functions: Readonly<Record<string, (...numbers: number[]) => number>> = {
  sqrt: Math.sqrt,
  abs: Math.abs,
  round: Math.round,
  floor: Math.floor,
  ceil: Math.ceil,
  ln: Math.log,
  log: Math.log10,
  exp: Math.exp,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  min: Math.min,
  max: Math.max,
}
const manyNumbers: readonly string[] = ['min', 'max']

/** What an expression may be made of, for those who write one. */
export const expressionGrammar = `numbers, + - * / % ^, brackets, ${Object.keys(constants).join(', ')}, ${Object.keys(functions).join(', ')}`

/**
 * The value of an expression such as `2 * (3 + 4) ^ 2`. `^` binds strongest and from the right, `%` is the remainder;
 * angles are radians, `log` is to base 10. Throws `invalid_option` with the place of what is wrong, also for a value
 * that is no finite number.
 */
export function evaluate(expression: string): number {
  if (expression.length > maxExpressionLength) {
    throw wrong(`the expression has ${expression.length} characters; ${maxExpressionLength} is the limit`)
  }
  const value = new Reader(expression).whole()
  if (Number.isFinite(value)) return value
  throw wrong(Number.isNaN(value) ? 'the expression has no value' : 'the value is too large')
}

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): number {
    const value = this.#sum()
    if (this.#peek() !== undefined) throw this.#unexpected('an operator')
    return value
  }

  #sum(): number {
    let value = this.#product()
    for (;;) {
      if (this.#take('+')) value += this.#product()
      else if (this.#take('-')) value -= this.#product()
      else return value
    }
  }

  #product(): number {
    let value = this.#signed()
    for (;;) {
      if (this.#take('*')) value *= this.#signed()
      else if (this.#take('/')) value /= this.#divisor()
      else if (this.#take('%')) value %= this.#divisor()
      else return value
    }
  }

  #divisor(): number {
    const value = this.#signed()
    if (value === 0) throw wrong('division by zero')
    return value
  }

  #signed(): number {
    if (++this.#depth > maxDepth) throw wrong(`the expression is nested more than ${maxDepth} deep`)
    const value = this.#take('-') ? -this.#signed() : this.#take('+') ? this.#signed() : this.#power()
    this.#depth--
    return value
  }

  #power(): number {
    const base = this.#operand()
    return this.#take('^') ? base ** this.#signed() : base
  }

  #operand(): number {
    if (this.#take('(')) {
      const value = this.#sum()
      if (!this.#take(')')) throw this.#unexpected("')'")
      return value
    }
    const number = this.#match(/(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy)
    if (number !== undefined) return Number(number)
    const name = this.#match(/[a-z]\w*/iy)?.toLowerCase()
    if (name === undefined) throw this.#unexpected('a number')
    const constant = Object.hasOwn(constants, name) ? constants[name] : undefined
    return constant ?? this.#call(name)
  }

  #call(name: string): number {
    const body = Object.hasOwn(functions, name) ? functions[name] : undefined
    if (body === undefined) throw wrong(`there is no '${name}' here: use ${expressionGrammar}`)
    if (!this.#take('(')) throw this.#unexpected(`'(' after ${name}`)
    const numbers = [this.#sum()]
    while (manyNumbers.includes(name) && this.#take(',')) numbers.push(this.#sum())
    if (!this.#take(')')) throw this.#unexpected("')'")
    return body(...numbers)
  }

  #peek(): string | undefined {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
    return this.#text[this.#at]
  }

  #take(sign: string): boolean {
    if (this.#peek() !== sign) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): string | undefined {
    this.#peek()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #unexpected(wanted: string): TellurionError {
    const sign = this.#peek()
    const place = sign === undefined ? 'the end' : `'${sign}' at position ${this.#at + 1}`
    return wrong(`${wanted} was expected, not ${place}`)
  }
}

function wrong(message: string): TellurionError {
  return new TellurionError('invalid_option', message)
}
