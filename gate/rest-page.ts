// `docs/rest.md`: every route with what it takes and answers, out of the same OpenAPI document that a server serves.

import { openApiDocument } from '../packages/tellurion-server/src/server/openapi.ts'
import { operations } from '../packages/tellurion-server/src/server/operations.ts'
import { page, row, table } from './page.ts'

/** A schema as OpenAPI has it. */
export interface SchemaObject {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly items?: SchemaObject
  readonly prefixItems?: readonly SchemaObject[]
  readonly anyOf?: readonly SchemaObject[]
  readonly oneOf?: readonly SchemaObject[]
  readonly properties?: Readonly<Record<string, SchemaObject>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaObject | boolean
}

interface Answer {
  readonly $ref?: string
  readonly description?: string
  readonly content?: Readonly<Record<string, { readonly schema: SchemaObject }>>
}

interface OperationObject {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly [string]
  readonly 'x-scope': string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly description?: string
    readonly schema: SchemaObject
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: SchemaObject }>> }
  readonly responses: Readonly<Record<string, Answer>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: { readonly schemas: Readonly<Record<string, SchemaObject>> }
}

const promise =
  'Every route of the server: what it takes, what it answers, and the scope that it needs. The same as an OpenAPI 3.1 document is at `/openapi.json` of a running server, and as a page at `/docs`; [The server](server.md) tells of the whole.'

/** The page. */
export function restPage(): string {
  const { paths, components } = openApiDocument(operations, '') as unknown as Document
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ asked: `${method.toUpperCase()} ${path}`, operation })),
  )
  const tags = [...new Set(all.map(({ operation }) => operation.tags[0]))]
  const sections = tags.map((tag) => {
    const own = all.filter(({ operation }) => operation.tags[0] === tag)
    return [`## ${tag}`, ...own.map(operationText)].join('\n\n')
  })
  const schemas = Object.entries(components.schemas).map(([name, schema]) => schemaText(name, schema))
  return page('REST', promise, [...sections, '## Schemas', ...schemas].join('\n\n'))
}

function operationText({ asked, operation }: { asked: string; operation: OperationObject }): string {
  const { summary, parameters = [], requestBody, responses } = operation
  const scope = operation['x-scope'] === 'public' ? 'Public' : `Scope \`${operation['x-scope']}\``
  const body = Object.values(requestBody?.content ?? {}).map(({ schema }) => ` Takes ${typeText(schema)}.`)
  const rows = parameters.map(({ name, in: place, required, description = '', schema }) =>
    row(`\`${name}\`${required ? '' : ' ?'}`, place, typeText(schema), description),
  )
  const failures = Object.entries(responses).flatMap(([status, { $ref }]) => ($ref === undefined ? [] : [status]))
  const answers = Object.entries(responses).flatMap(([status, answer]) =>
    answer.$ref === undefined ? [`${status}${contentText(answer)}`] : [],
  )
  const text = `${summary}. ${scope}.${body.join('')} Answers ${answers.join(', or ')}; fails with ${failures.join(', ')}.`
  const head = table(['Parameter', 'In', 'Type', 'What it is'], rows)
  return [`### \`${asked}\``, text, ...(rows.length === 0 ? [] : [head])].join('\n\n')
}

function contentText({ content = {} }: Answer): string {
  const types = Object.entries(content).map(([type, { schema }]) =>
    type === 'application/json' ? typeText(schema) : `\`${type}\``,
  )
  return types.length === 0 ? '' : ` with ${types.join(' or ')}`
}

function schemaText(name: string, schema: SchemaObject): string {
  const { properties, required = [], description } = schema
  const rows = Object.entries(properties ?? {}).map(([field, each]) =>
    row(`\`${field}\`${required.includes(field) ? '' : ' ?'}`, typeText(each), each.description ?? ''),
  )
  const shape = properties === undefined ? `${typeText(schema)}` : table(['Field', 'Type', 'What it is'], rows)
  return [`### ${name}`, ...(description === undefined ? [] : [description]), shape].join('\n\n')
}

/** A type in a few words; named ones are links, to another page where one is given. */
export function typeText(schema: SchemaObject, on = ''): string {
  const inner = (each: SchemaObject): string => typeText(each, on)
  const { $ref, const: constant, enum: values, items, prefixItems, properties, additionalProperties, type } = schema
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? ''
    return `[${name}](${on}#${name.toLowerCase()})`
  }
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``
  if (values !== undefined) return values.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return choices.map(inner).join(' or ')
  if (prefixItems !== undefined) return `[${prefixItems.map(inner).join(', ')}]`
  if (items !== undefined) return `list of ${inner(items)}`
  if (properties !== undefined) {
    const { required = [] } = schema
    const fields = Object.entries(properties).map(
      ([name, each]) => `${name}${required.includes(name) ? '' : '?'}: ${inner(each)}`,
    )
    return `{ ${fields.join(', ')} }`
  }
  if (typeof additionalProperties === 'object') return `object of ${inner(additionalProperties)}`
  return type ?? 'any JSON'
}
