// A number of the calculator: a fraction, exact for as long as it is not too long, else a float. Whole numbers and decimals
// come out as one would write them, to the last digit.

/** A fraction in lowest terms, or a float for what is none or too long. */
export type Amount = Fraction | number

interface Fraction {
  readonly over: bigint
  /** Above 0. */
  readonly under: bigint
}

/** Bits of the longest number above or below the line: about 616 digits. It bounds the time of everything here. */
const mostBits = 2_048
/** Digits of a number as it is written that are read exactly. */
const mostDigits = 600
/** Digits after the point that are shown as they are. */
const mostDecimals = 30

/** The amount that digits such as `12`, `.5` or `1e-3` stand for. */
export function readAmount(digits: string): Amount {
  const [, whole = '', decimals = '', exponent = '0'] = /^(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(digits) ?? []
  const shift = Number(exponent) - decimals.length
  if (Math.abs(shift) + whole.length + decimals.length > mostDigits) return Number(digits)
  const over = BigInt(whole + decimals)
  return shift < 0 ? fraction(over, 10n ** BigInt(-shift)) : fraction(over * 10n ** BigInt(shift), 1n)
}

export const plus = (a: Amount, b: Amount): Amount =>
  exactly(a, b, (x, y) => fraction(x.over * y.under + y.over * x.under, x.under * y.under)) ?? float(a) + float(b)

export const minus = (a: Amount, b: Amount): Amount => plus(a, negative(b))

export const times = (a: Amount, b: Amount): Amount =>
  exactly(a, b, (x, y) => fraction(x.over * y.over, x.under * y.under)) ?? float(a) * float(b)

/** The quotient; the divisor is not zero. */
export const dividedBy = (a: Amount, b: Amount): Amount =>
  exactly(a, b, (x, y) => fraction(x.over * y.under, x.under * y.over)) ?? float(a) / float(b)

/** What is left of a division, with the sign of `a`; the divisor is not zero. */
export const remainder = (a: Amount, b: Amount): Amount =>
  exactly(a, b, (x, y) => fraction((x.over * y.under) % (y.over * x.under), x.under * y.under)) ?? float(a) % float(b)

export const negative = (a: Amount): Amount => (typeof a === 'number' ? -a : { over: -a.over, under: a.under })

/** A power. Exact for whole exponents, where the result is not too long. */
export function power(base: Amount, exponent: Amount): Amount {
  if (typeof base !== 'number' && typeof exponent !== 'number' && exponent.under === 1n) {
    const { over, under } = base
    const times = exponent.over < 0n ? -exponent.over : exponent.over
    const bits = BigInt(Math.max(bitsOf(over), bitsOf(under)))
    const isShort = bits * times <= BigInt(mostBits) || (bits === 1n && under === 1n)
    if (isShort && (exponent.over >= 0n || over !== 0n)) {
      // One, minus one and nothing have no long powers, however often they are taken.
      const count = bits === 1n && under === 1n ? (times === 0n ? 0n : 2n - (times % 2n)) : times
      return exponent.over < 0n ? fraction(under ** count, over ** count) : fraction(over ** count, under ** count)
    }
  }
  return float(base) ** float(exponent)
}

/** The whole number below, or the amount itself. */
export function floored(a: Amount): Amount {
  if (typeof a === 'number') return Math.floor(a)
  const whole = a.over / a.under
  return { over: a.over % a.under < 0n ? whole - 1n : whole, under: 1n }
}

/** Below 0, 0, or above, as the order of two amounts is. */
export function order(a: Amount, b: Amount): number {
  const difference = exactly(a, b, (x, y) => x.over * y.under - y.over * x.under)
  return difference === undefined ? float(a) - float(b) : difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export const isZero = (a: Amount): boolean => (typeof a === 'number' ? a === 0 : a.over === 0n)

/** The nearest float, as near as floats are. */
export function float(a: Amount): number {
  if (typeof a === 'number') return a
  const { over, under } = a
  // The first 64 bits of the quotient hold all that a float does.
  const shift = 64 - (bitsOf(over) - bitsOf(under))
  const quotient = shift > 0 ? (over << BigInt(shift)) / under : over / (under << BigInt(-shift))
  return Number(quotient) * 2 ** -shift
}

/** As one writes it: whole numbers and decimals exactly, all else to 15 digits. */
export function written(a: Amount): string {
  if (typeof a === 'number') return String(Number(a.toPrecision(15)))
  const { over, under } = a
  if (under === 1n) return String(over)
  const scale = 10n ** BigInt(mostDecimals)
  if (scale % under !== 0n) return written(float(a))
  const sign = over < 0n ? '-' : ''
  const digits = String((over < 0n ? -over : over) * (scale / under)).padStart(mostDecimals + 1, '0')
  return `${sign}${digits.slice(0, -mostDecimals)}.${digits.slice(-mostDecimals).replace(/0+$/, '')}`
}

/** What two fractions give; undefined where one of them is a float. */
function exactly<T>(a: Amount, b: Amount, give: (a: Fraction, b: Fraction) => T): T | undefined {
  return typeof a === 'number' || typeof b === 'number' ? undefined : give(a, b)
}

/** In lowest terms; a float where it is too long. */
function fraction(over: bigint, under: bigint): Amount {
  const sign = under < 0n ? -1n : 1n
  let [a, b] = [over < 0n ? -over : over, under * sign]
  while (b !== 0n) [a, b] = [b, a % b]
  const lowest = { over: (over * sign) / a, under: (under * sign) / a }
  return bitsOf(lowest.over) > mostBits || bitsOf(lowest.under) > mostBits ? float(lowest) : lowest
}

const bitsOf = (value: bigint): number => {
  const digits = (value < 0n ? -value : value).toString(16)
  return (digits.length - 1) * 4 + Number.parseInt(digits[0]!, 16).toString(2).length
}
