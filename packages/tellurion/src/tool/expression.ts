// Arithmetic: an expression read and worked out in one pass. Bounded in length, depth and digits, so in time; nothing is ever
// evaluated as code.

import { TellurionError } from '../error/error.ts'
import { dividedBy, float, floored, isZero, minus, negative, order, plus, power, readAmount } from './amount.ts'
import { remainder, times, written, type Amount } from './amount.ts'

/** The longest expression, in characters. */
export const maxExpressionLength = 200
/** How deep brackets, signs and powers may stand in each other. */
const maxDepth = 50

const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E }
const half = readAmount('0.5')
const floats = (fn: (number: number) => number) => (amount: Amount) => fn(float(amount))
const functions: Readonly<Record<string, (first: Amount, ...rest: Amount[]) => Amount>> = {
  sqrt: floats(Math.sqrt),
  abs: (amount) => (order(amount, 0) < 0 ? negative(amount) : amount),
  round: (amount) => floored(plus(amount, half)),
  floor: floored,
  ceil: (amount) => negative(floored(negative(amount))),
  ln: floats(Math.log),
  log: floats(Math.log10),
  exp: floats(Math.exp),
  sin: floats(Math.sin),
  cos: floats(Math.cos),
  tan: floats(Math.tan),
  min: (first, ...rest) => rest.reduce((least, each) => (order(each, least) < 0 ? each : least), first),
  max: (first, ...rest) => rest.reduce((most, each) => (order(each, most) > 0 ? each : most), first),
}
const manyNumbers: readonly string[] = ['min', 'max']

/** What an expression may be made of, for those who write one. */
export const expressionGrammar = `numbers, + - * / % ^, brackets, ${Object.keys(constants).join(', ')}, ${Object.keys(functions).join(', ')}`

/**
 * The value of an expression such as `2 * (3 + 4) ^ 2`, as one writes it. `^` binds strongest and from the right, `%` is the
 * remainder; angles are radians, `log` is to base 10. Whole numbers and decimals are exact up to some 600 digits, all else
 * has 15. Throws `invalid_option` with the place of what is wrong, also for a value that is no finite number.
 */
export function evaluate(expression: string): string {
  if (expression.length > maxExpressionLength) {
    throw wrong(`the expression has ${expression.length} characters; ${maxExpressionLength} is the limit`)
  }
  const value = new Reader(expression).whole()
  if (typeof value !== 'number' || Number.isFinite(value)) return written(value)
  throw wrong(Number.isNaN(value) ? 'the expression has no value' : 'the value is too large')
}

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Amount {
    const value = this.#sum()
    if (this.#peek() !== undefined) throw this.#unexpected('an operator')
    return value
  }

  #sum(): Amount {
    let value = this.#product()
    for (;;) {
      if (this.#take('+')) value = plus(value, this.#product())
      else if (this.#take('-')) value = minus(value, this.#product())
      else return value
    }
  }

  #product(): Amount {
    let value = this.#signed()
    for (;;) {
      if (this.#take('*')) value = times(value, this.#signed())
      else if (this.#take('/')) value = dividedBy(value, this.#divisor())
      else if (this.#take('%')) value = remainder(value, this.#divisor())
      else return value
    }
  }

  #divisor(): Amount {
    const value = this.#signed()
    if (isZero(value)) throw wrong('division by zero')
    return value
  }

  #signed(): Amount {
    if (++this.#depth > maxDepth) throw wrong(`the expression is nested more than ${maxDepth} deep`)
    const value = this.#take('-') ? negative(this.#signed()) : this.#take('+') ? this.#signed() : this.#power()
    this.#depth--
    return value
  }

  #power(): Amount {
    const base = this.#operand()
    if (!this.#take('^')) return base
    const exponent = this.#signed()
    if (isZero(base) && order(exponent, 0) < 0) throw wrong('division by zero')
    return power(base, exponent)
  }

  #operand(): Amount {
    if (this.#take('(')) {
      const value = this.#sum()
      if (!this.#take(')')) throw this.#unexpected("')'")
      return value
    }
    const number = this.#match(/(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy)
    if (number !== undefined) {
      const amount = readAmount(number)
      if (amount === Infinity) throw wrong(`the number ${number} is too large`)
      return amount
    }
    const name = this.#match(/[a-z]\w*/iy)?.toLowerCase()
    if (name === undefined) throw this.#unexpected('a number')
    const constant = Object.hasOwn(constants, name) ? constants[name] : undefined
    return constant ?? this.#call(name)
  }

  #call(name: string): Amount {
    const body = Object.hasOwn(functions, name) ? functions[name] : undefined
    if (body === undefined) throw wrong(`there is no '${name}' here: use ${expressionGrammar}`)
    if (!this.#take('(')) throw this.#unexpected(`'(' after ${name}`)
    const first = this.#sum()
    const rest: Amount[] = []
    while (manyNumbers.includes(name) && this.#take(',')) rest.push(this.#sum())
    if (!this.#take(')')) throw this.#unexpected("')'")
    return body(first, ...rest)
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
