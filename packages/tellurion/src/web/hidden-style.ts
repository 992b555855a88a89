// What declarations say about being seen: that something is not there at all, or how its text would look.

import { colorOf, type Color } from './css-color.ts'
import type { Declarations } from './css-text.ts'

/** How the text of an element looks. Undefined: nobody here can say. */
export interface Look {
  readonly isVisible: boolean
  /** Pixels, about. */
  readonly size: number
  readonly color: Color | undefined
  readonly ground: Color | undefined
}

/** Gives the value of a property, without variables; undefined where nothing is said. */
export type Value = (property: string) => string | undefined

/** The properties that count here. */
export const looks: ReadonlySet<string> = new Set(
  (
    'display content-visibility opacity filter clip clip-path transform scale position left right top bottom margin-left ' +
    'margin-top text-indent overflow overflow-x overflow-y width height max-width max-height visibility font font-size ' +
    'color background background-color background-image -webkit-text-fill-color'
  ).split(' '),
)

const small = 2
const pixels: Readonly<Record<string, number>> = {
  '': 1,
  px: 1,
  pt: 1.33,
  em: 16,
  rem: 16,
  ex: 8,
  ch: 8,
  '%': 10,
  vw: 10,
  vh: 10,
}

/** Pixels that a length comes to, about; undefined for what is none. */
function length(text: string | undefined): number | undefined {
  const [, number, unit = ''] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z%]*)$/.exec(text?.trim() ?? '') ?? []
  return number === undefined ? undefined : Number(number) * (pixels[unit] ?? 10)
}

/** Whether nothing of an element is seen, with all that is in it. */
export function isGone(value: Value): boolean {
  if (value('display') === 'none' || value('content-visibility') === 'hidden') return true
  if (share(value('opacity')) < 0.05 || /\bopacity\(\s*(?:0?\.0\d*|0)%?\s*\)/.test(value('filter') ?? '')) return true
  return isCutAway(value) || isShiftedAway(value) || isShrunk(value)
}

function share(text: string | undefined): number {
  const number = Number.parseFloat(text ?? '1')
  return Number.isNaN(number) ? 1 : text?.endsWith('%') === true ? number / 100 : number
}

function isCutAway(value: Value): boolean {
  const corners = /^rect\(([^)]*)\)$/.exec(value('clip') ?? '')?.[1]?.split(/[\s,]+/)
  if (corners?.every((each) => (length(each) ?? 9) <= 1) === true) return true
  const [, shape, first] = /^(inset|circle|ellipse|polygon)\(\s*([^\s),]*)/.exec(value('clip-path') ?? '') ?? []
  if (shape === 'inset') return first?.endsWith('%') === true && Number.parseFloat(first) >= 50
  return (shape === 'circle' || shape === 'ellipse') && length(first) === 0
}

/** Farther out than any screen reaches. */
function isShiftedAway(value: Value): boolean {
  const isOut = (property: string): boolean => {
    const far = length(value(property)) ?? 0
    return far <= -500 || far >= 5_000
  }
  if (
    ['absolute', 'fixed', 'relative'].includes(value('position') ?? '') &&
    ['left', 'right', 'top', 'bottom'].some(isOut)
  )
    return true
  if (['margin-left', 'margin-top', 'text-indent'].some(isOut)) return true
  const moves = /translate(?:x|y|3d)?\(([^)]*)\)/.exec(value('transform') ?? '')?.[1]?.split(',') ?? []
  return moves.some((each) => Math.abs(length(each) ?? 0) >= 2_000)
}

function isShrunk(value: Value): boolean {
  if (/scale(?:x|y|3d)?\(\s*(?:0?\.0\d*|0)\s*[,)]/.test(value('transform') ?? '') || value('scale') === '0') return true
  const isCut = ['overflow', 'overflow-x', 'overflow-y'].some((each) => /hidden|clip/.test(value(each) ?? ''))
  return isCut && ['width', 'height', 'max-width', 'max-height'].some((each) => (length(value(each)) ?? 9) <= 1)
}

/** How an element's text looks, given how it looks around it. */
export function lookOf(value: Value, around: Look): Look {
  const visibility = value('visibility')
  const color = value('-webkit-text-fill-color') ?? value('color')
  return {
    isVisible:
      visibility === undefined || visibility === 'inherit' ? around.isVisible : !/hidden|collapse/.test(visibility),
    size: sizeOf(value, around.size),
    color: color === undefined || color === 'inherit' ? around.color : colorOf(color),
    ground: groundOf(value, around.ground),
  }
}

function sizeOf(value: Value, around: number): number {
  // In the short form the size stands before the slash, or before the family.
  const short = /(?:^|\s)([\d.]+(?:px|pt|r?em|%|ex|ch)?)(?:\s*\/\s*\S+)?\s+\S/.exec(value('font') ?? '')?.[1]
  const text = value('font-size') ?? short
  const size = length(text)
  if (text === undefined || size === undefined) return text === undefined || text === 'inherit' ? around : 16
  const relative = /(?<!r)em$|%$/.exec(text)
  return relative === null ? size : (around * Number.parseFloat(text)) / (relative[0] === '%' ? 100 : 1)
}

function groundOf(value: Value, around: Color | undefined): Color | undefined {
  const stated = [value('background-image'), value('background')].find((each) => /url\(|gradient\(/.test(each ?? ''))
  if (stated !== undefined) return undefined
  const text = value('background-color') ?? value('background')
  if (text === undefined || text === 'none') return around
  const parts = text.match(/[a-z]+\([^()]*\)|[^\s()]+/g) ?? []
  const color = parts.map(colorOf).find((each) => each !== undefined)
  if (color === undefined) return undefined
  if (color[3] === 1) return color
  return color[3] === 0 ? around : undefined
}

/** Whether text that looks so is seen by nobody. */
export function isUnseen(
  { isVisible, size, color, ground }: Look,
  areAlike: (one: Color, other: Color) => boolean,
): boolean {
  if (!isVisible || size < small) return true
  if (color === undefined) return false
  return color[3] < 0.05 || (ground !== undefined && areAlike(color, ground))
}

/** Whether declarations alone say that nothing is seen; for what has no style sheet. */
export function saysHidden(declarations: Declarations): boolean {
  const value: Value = (property) => declarations.get(property)?.value
  const nothing: Look = { isVisible: true, size: 16, color: undefined, ground: undefined }
  return isGone(value) || isUnseen(lookOf(value, nothing), () => false)
}
