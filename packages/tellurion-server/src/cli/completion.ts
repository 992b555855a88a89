// `tellurion completion <shell>`: a script that completes commands and options, made of the command line itself so that it
// cannot lag behind.

import type { Command } from 'commander'

/** The shells there are scripts for. */
export const shells = ['bash', 'zsh', 'fish'] as const

/** A shell. */
export type Shell = (typeof shells)[number]

/** What can be typed at one place of the command line. */
interface Place {
  /** The commands that lead here, such as `runs`, `list`. */
  readonly path: readonly string[]
  readonly words: readonly Word[]
  /** What stands here in the place of an option, such as a question or a file; absent where nothing does. */
  readonly argument?: { readonly about: string; readonly choices: readonly string[] }
}

interface Word {
  readonly text: string
  readonly about: string
  /** For options: whether a value follows. */
  readonly takesValue: boolean
}

/** The script for a shell; it goes into a file that the shell reads at its start. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, [])
  switch (shell) {
    case 'bash':
      return bash(program.name(), places)
    case 'zsh':
      return zsh(program.name(), places)
    case 'fish':
      return fish(program.name(), places)
    default:
      return shell satisfies never
  }
}

function placesOf(command: Command, path: readonly string[]): Place[] {
  const options = command.options.map(({ long, short, description, required, optional }) => ({
    text: long ?? short ?? '',
    about: description,
    takesValue: required || optional,
  }))
  const help = { text: '--help', about: 'show this', takesValue: false }
  const commands = command.commands.map((each) => ({ text: each.name(), about: each.description(), takesValue: false }))
  const [argument] = command.registeredArguments
  const here: Place = {
    path,
    words: [...commands, ...options, help],
    ...(argument && { argument: { about: argument.description, choices: argument.argChoices ?? [] } }),
  }
  return [here, ...command.commands.flatMap((each) => placesOf(each, [...path, each.name()]))]
}

/** A shell's `case` that walks from one place to the next by the words before the cursor. */
function walk(places: readonly Place[]): string {
  const steps = places.flatMap(({ path }) => (path.length === 0 ? [] : [`'/${path.join('/')}'`]))
  return steps.join(' | ')
}

function valued(places: readonly Place[]): string {
  const words = places.flatMap((place) => place.words).filter(({ takesValue }) => takesValue)
  return [...new Set(words.map(({ text }) => text))].toSorted().join(' | ')
}

function bash(name: string, places: readonly Place[]): string {
  const cases = places.map(({ path, words, argument }) => {
    const instead = argument && `; [[ "$current" == -* ]] || words=${quoted(argument.choices.join(' '))}`
    return `    '${pathText(path)}') words=${quoted(words.map(({ text }) => text).join(' '))}${instead ?? ''} ;;`
  })
  return `# Completion of ${name} for bash: put this file where your shell reads it, or: source <(${name} completion bash)
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" place='' words='' index
  COMPREPLY=()
  case "\${COMP_WORDS[COMP_CWORD - 1]}" in
    ${valued(places)}) return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$place/\${COMP_WORDS[index]}" in
      ${walk(places)}) place="$place/\${COMP_WORDS[index]}" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name} ${name}
`
}

function zsh(name: string, places: readonly Place[]): string {
  const item = (text: string, about: string): string => quoted(`${text.replaceAll(':', '\\:')}:${about}`)
  const cases = places.map(({ path, words, argument }) => {
    const items = words.map(({ text, about }) => item(text, about)).join(' ')
    const choices = argument?.choices.map((choice) => item(choice, argument.about)).join(' ')
    const instead = choices === undefined ? '' : `; [[ "\${words[CURRENT]}" == -* ]] || items=(${choices})`
    return `    '${pathText(path)}') items=(${items})${instead} ;;`
  })
  return `#compdef ${name}
# Completion of ${name} for zsh: save it as _${name} in a folder of $fpath, or: source <(${name} completion zsh)
_${name}() {
  local place='' word
  local -a items
  case "\${words[CURRENT - 1]}" in
    ${valued(places)}) _files; return ;;
  esac
  for word in "\${(@)words[2,CURRENT - 1]}"; do
    case "$place/$word" in
      ${walk(places)}) place="$place/$word" ;;
    esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  _describe '${name}' items || _files
}
if [[ "\${funcstack[1]}" == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}

function fish(name: string, places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, argument }) => {
    const below = words.filter(({ text }) => !text.startsWith('-')).map(({ text }) => text)
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`)
    const here = [...seen, ...(below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(' ')}`])]
    const when = here.length === 0 ? '' : ` -n ${quoted(here.join('; and '))}`
    const choices = (argument?.choices ?? []).map((text) => ({ text, about: argument!.about, takesValue: false }))
    return [...words, ...choices].map(({ text, about, takesValue }) => {
      const what = text.startsWith('--') ? `-l ${text.slice(2)}${takesValue ? ' -r' : ''}` : `-f -a ${text}`
      return `complete -c ${name}${when} ${what} -d ${quoted(about)}`
    })
  })
  return `# Completion of ${name} for fish: save it as ~/.config/fish/completions/${name}.fish, or: ${name} completion fish | source
${lines.join('\n')}
`
}

const pathText = (path: readonly string[]): string => path.map((word) => `/${word}`).join('')

/** A text as one word of any of these shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
