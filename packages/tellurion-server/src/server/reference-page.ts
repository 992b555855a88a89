// The interface as a page to read: plain HTML out of the OpenAPI document, without a script and without anything remote.

import type { JsonObject } from 'tellurion/protocol'

/** What the page may load: its own style, and nothing else. */
export const referencePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

interface SchemaObject {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly items?: SchemaObject
  readonly anyOf?: readonly SchemaObject[]
  readonly oneOf?: readonly SchemaObject[]
  readonly properties?: Readonly<Record<string, SchemaObject>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaObject | boolean
}

interface Content {
  readonly [type: string]: { readonly schema: SchemaObject }
}

interface ResponseObject {
  readonly $ref?: string
  readonly description?: string
  readonly content?: Content
}

interface OperationObject {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly 'x-scope': string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: SchemaObject
  }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, ResponseObject>>
}

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
  readonly components: { readonly schemas: Readonly<Record<string, SchemaObject>> }
}

/** The page of a document. */
export function referencePage(document: JsonObject): string {
  const { info, paths, components } = document as unknown as Document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const tags = [...new Set(operations.map(({ operation }) => operation.tags[0] ?? ''))]
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags[0] === tag)
    return `<h2 id="${text(tag)}">${text(tag)}</h2>${own.map(operationHtml).join('')}`
  })
  const schemas = Object.entries(components.schemas).map(([name, schema]) => schemaHtml(name, schema))
  const links = [...tags, 'schemas'].map((tag) => `<a href="#${text(tag)}">${text(tag)}</a>`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(info.title)} ${text(info.version)}</title><style>${style}</style></head>
<body><header><h1>${text(info.title)} <small>${text(info.version)}</small></h1><p>${text(info.description)}
All but the public routes need <code>Authorization: Bearer &lt;token&gt;</code>. For machines: <a href="openapi.json">openapi.json</a>.</p>
<nav>${links.join(' ')}</nav></header><main>${sections.join('')}<h2 id="schemas">schemas</h2>${schemas.join('')}</main></body></html>
`
}

function operationHtml(row: { path: string; method: string; operation: OperationObject }): string {
  const { path, method, operation } = row
  const { operationId, summary, parameters = [], requestBody, responses } = operation
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${text(name)}</code>${required === true ? '' : ' ?'}<td>${text(place)}<td>${typeHtml(schema)}<td>${text(description ?? '')}`,
  )
  const answers = Object.entries(responses).flatMap(([status, { description, content, $ref }]) => {
    if ($ref !== undefined) return []
    const types = Object.entries(content ?? {}).map(([type, { schema }]) => contentHtml(type, schema))
    return `<tr><td><code>${text(status)}</code><td>${text(description ?? '')}<td>${types.join('<br>')}`
  })
  const failed = Object.entries(responses).flatMap(([status, { $ref }]) => ($ref === undefined ? [] : [text(status)]))
  const body = Object.values(requestBody?.content ?? {}).map(({ schema }) => `<p>Takes ${typeHtml(schema)}.</p>`)
  return `<details id="${text(operationId)}"><summary><code>${method} ${text(path)}</code> ${text(summary)} <i>${text(operation['x-scope'])}</i></summary>
${rows.length === 0 ? '' : `<table>${rows.join('')}</table>`}${body.join('')}<table>${answers.join('')}</table><p>Failures: ${failed.join(' ')}</p></details>`
}

function contentHtml(type: string, schema: SchemaObject): string {
  return type === 'application/json' ? typeHtml(schema) : `<code>${text(type)}</code>`
}

function schemaHtml(name: string, schema: SchemaObject): string {
  const { properties, required = [], description } = schema
  const rows = Object.entries(properties ?? {}).map(
    ([field, each]) =>
      `<tr><td><code>${text(field)}</code>${required.includes(field) ? '' : ' ?'}<td>${typeHtml(each)}<td>${text(each.description ?? '')}`,
  )
  const shape = properties === undefined ? `<p>${typeHtml(schema)}</p>` : `<table>${rows.join('')}</table>`
  return `<details id="schema-${text(name)}"><summary><code>${text(name)}</code> ${text(description ?? '')}</summary>${shape}</details>`
}

/** A type in a few words; named ones are links. */
export function typeHtml(schema: SchemaObject): string {
  const { $ref, const: constant, enum: values, items, anyOf, oneOf, type, properties, additionalProperties } = schema
  if ($ref !== undefined) {
    const name = text($ref.split('/').at(-1) ?? '')
    return `<a href="#schema-${name}">${name}</a>`
  }
  if (constant !== undefined) return `<code>${text(JSON.stringify(constant))}</code>`
  if (values !== undefined) return values.map((value) => `<code>${text(JSON.stringify(value))}</code>`).join(' | ')
  const choices = anyOf ?? oneOf
  if (choices !== undefined) return choices.map(typeHtml).join(' | ')
  if (items !== undefined) return `list of ${typeHtml(items)}`
  if (properties !== undefined) {
    const { required = [] } = schema
    const fields = Object.entries(properties).map(
      ([name, each]) => `${text(name)}${required.includes(name) ? '' : '?'}: ${typeHtml(each)}`,
    )
    return `{ ${fields.join(', ')} }`
  }
  if (typeof additionalProperties === 'object') return `object of ${typeHtml(additionalProperties)}`
  return text(type ?? 'any JSON')
}

/** Text as HTML shows it. */
function text(given: string): string {
  return given
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem }
h1 small { font-weight: normal; opacity: .6 } h2 { margin-top: 2rem; text-transform: capitalize }
nav a { margin-right: .75rem } code { font: .9em ui-monospace, monospace }
details { border-bottom: 1px solid var(--line); padding: .4rem 0 } summary { cursor: pointer } summary i { opacity: .6 }
table { border-collapse: collapse; margin: .5rem 0; width: 100% } td { border-top: 1px solid var(--line); padding: .2rem .6rem .2rem 0; vertical-align: top }
:target { outline: 2px solid Highlight }
`
