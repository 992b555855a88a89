// Colours of style sheets as numbers, as far as they are needed to see that a text has the colour of its ground.

/** Red, green and blue, 0 to 255, and alpha, 0 to 1. */
export type Color = readonly [red: number, green: number, blue: number, alpha: number]

const named: Readonly<Record<string, string>> = {
  black: '000000',
  silver: 'c0c0c0',
  gray: '808080',
  grey: '808080',
  white: 'ffffff',
  maroon: '800000',
  red: 'ff0000',
  purple: '800080',
  fuchsia: 'ff00ff',
  magenta: 'ff00ff',
  green: '008000',
  lime: '00ff00',
  olive: '808000',
  yellow: 'ffff00',
  navy: '000080',
  blue: '0000ff',
  teal: '008080',
  aqua: '00ffff',
  cyan: '00ffff',
  orange: 'ffa500',
  snow: 'fffafa',
  ivory: 'fffff0',
  ghostwhite: 'f8f8ff',
  whitesmoke: 'f5f5f5',
  transparent: '00000000',
}

/** The colour that a text names; undefined where it is none, or depends on something. */
export function colorOf(text: string): Color | undefined {
  const name = text.trim()
  const hex = Object.hasOwn(named, name) ? named[name] : /^#?([0-9a-f]{3,8})$/.exec(name)?.[1]
  if (hex !== undefined) return fromHex(hex)
  const [, kind = '', inside = ''] = /^(rgb|hsl)a?\(([^()]*)\)$/.exec(name) ?? []
  const parts = inside.split(/[\s,/]+/).filter((part) => part !== '')
  if (parts.length < 3 || parts.length > 4) return undefined
  const alpha = parts[3] === undefined ? 1 : amount(parts[3], 1)
  const [first = 0, second = 0, third = 0] =
    kind === 'rgb'
      ? parts.slice(0, 3).map((part) => amount(part, 255))
      : fromHsl(Number.parseFloat(parts[0]!), amount(parts[1]!, 1), amount(parts[2]!, 1))
  const color: Color = [first, second, third, alpha]
  return color.every(Number.isFinite) ? color : undefined
}

/** Whether two colours cannot be told apart by eye. */
export function areAlike(one: Color, other: Color): boolean {
  return [0, 1, 2].every((index) => Math.abs(one[index]! - other[index]!) <= 10)
}

function fromHex(digits: string): Color | undefined {
  const long = digits.length <= 4 ? digits.replaceAll(/./g, '$&$&') : digits
  if (long.length !== 6 && long.length !== 8) return undefined
  const [red = 0, green = 0, blue = 0, alpha = 255] = (long.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
  return [red, green, blue, alpha / 255]
}

function fromHsl(hue: number, saturation: number, lightness: number): number[] {
  const spread = saturation * Math.min(lightness, 1 - lightness)
  return [0, 8, 4].map((offset) => {
    const place = (((offset + hue / 30) % 12) + 12) % 12
    return 255 * (lightness - spread * Math.max(-1, Math.min(place - 3, 9 - place, 1)))
  })
}

/** A number, or a part of the whole in per cent. */
function amount(text: string, whole: number): number {
  const number = Number.parseFloat(text)
  return text.endsWith('%') ? (number / 100) * whole : number
}
