// The look of a file as rules over source text: its name, its size, how it opens, what its exports are called.

import { isTest, withoutComments, type SourceFile } from './source.ts'

const bannedWords = new Set(
  'util utils core common helper helpers service services manager managers types lib libs internal internals impl misc shared base abstract stuff'.split(
    ' ',
  ),
)
const bannedName = /^(?:I[A-Z][a-z]|(?:Base|Abstract)[A-Z])|(?:Base|Abstract|Impl|Manager|Service|Helper|Utils?)$/
const declaration =
  /^export\s+(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(?:class|interface|type|function\*?|const|let)\s+([\w$]+)/gm

/** Folders that end in s and yet are singular. */
const singular = new Set(['access', 'process', 'status', 'bus', 'analysis'])

/** Lines a file may have. */
const longest = 400
const longestTest = 600

/** Broken rules of names, sizes and openings, one line each. */
export function namingViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    [
      ...pathViolations(file.path),
      ...sizeViolations(file),
      ...openingViolations(file),
      ...exportViolations(file.text),
    ].map((rule) => `${file.path}: ${rule}`),
  )
}

function pathViolations(path: string): string[] {
  const inSource = path.replace(/^(?:packages\/[^/]+\/src|gate|test|bench|examples)\//, '').split('/')
  const folders = inSource.slice(0, -1)
  const words = inSource.flatMap((part) => part.replace(/\.ts$/, '').split(/[-.]/))
  return [
    ...words.filter((word) => bannedWords.has(word)).map((word) => `'${word}' names nothing; use a noun of the domain`),
    ...words.filter((word) => /^part\d+$/.test(word)).map((word) => `'${word}' is no noun; split by noun`),
    ...inSource
      .filter((part) => !/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(part))
      .map((part) => `'${part}' is not kebab-case`),
    ...folders
      .filter((folder) => folder.endsWith('s') && !singular.has(folder))
      .map((folder) => `the folder '${folder}' is not a singular noun`),
  ]
}

function sizeViolations(file: SourceFile): string[] {
  const lines = file.text.split('\n').length - 1
  const limit = isTest(file.path) ? longestTest : longest
  return lines > limit ? [`has ${lines} lines, ${limit} is the end; split it by noun`] : []
}

/** A test beside its source needs no opening: the source's is the noun. */
function openingViolations({ path, text }: SourceFile): string[] {
  if (isTest(path) && path.startsWith('packages/')) return []
  const lines = text.split('\n')
  const first = lines[0]?.startsWith('#!') ? 1 : 0
  let count = 0
  while (lines[first + count]?.startsWith('// ')) count++
  if (count === 0) return ['does not open with a comment that says its noun, its promise, its limit']
  if (count > 3) return [`opens with ${count} comment lines; three is the end`]
  return lines[first + count] === '' ? [] : ['has no empty line after its opening comment']
}

function exportViolations(text: string): string[] {
  return [...withoutComments(text).matchAll(declaration)]
    .map((match) => match[1] ?? '')
    .filter((name) => bannedName.test(name))
    .map((name) => `'${name}' carries a prefix or suffix that says nothing`)
}
