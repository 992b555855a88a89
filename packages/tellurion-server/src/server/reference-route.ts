// Routes of the interface itself: as a document for machines, and as a page for people.

import type { JsonObject } from 'tellurion/protocol'
import { operation } from './operation.ts'
import { referencePage, referencePolicy } from './reference-page.ts'
import { jsonObject } from './schema-part.ts'

/** The document. */
export const openapi = operation('openapi', {
  answer: jsonObject,
  handle: async ({ setting }) => setting.document(),
})

/** Pages by the document that they show, so that each is made once. */
const pages = new WeakMap<JsonObject, string>()

function pageOf(document: JsonObject): string {
  const page = pages.get(document) ?? referencePage(document)
  pages.set(document, page)
  return page
}

/** The page. */
export const reference = operation('reference', {
  media: ['text/html'],
  handle: async ({ setting }) =>
    new Response(pageOf(setting.document()), {
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': referencePolicy },
    }),
})
