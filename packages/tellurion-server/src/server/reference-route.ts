// Routes of the interface itself: as a document for machines, and as a page for people.

import { operation } from './operation.ts'
import { referencePage, referencePolicy } from './reference-page.ts'
import { jsonObject } from './schema-part.ts'

/** The document. */
export const openapi = operation('openapi', {
  answer: jsonObject,
  handle: async ({ setting }) => setting.document(),
})

/** The page. */
export const reference = operation('reference', {
  media: ['text/html'],
  handle: async ({ setting }) =>
    new Response(referencePage(setting.document()), {
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': referencePolicy },
    }),
})
