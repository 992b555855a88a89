// A backend that secrets do not reach: what goes into it has gone through a redactor.

import type { Redactor } from '../../secret/redactor.ts'
import type { Artifacts } from '../../tool/artifact.ts'
import type { Backend } from '../backend.ts'

/** The same backend; commits with their events, states and results, and mail, are kept without the secrets. */
export function redactedBackend(backend: Backend, redactor: Redactor): Backend {
  const { store } = backend
  return {
    ...backend,
    store: {
      ...store,
      createRun: (run) => store.createRun(redactor.value(run)),
      commit: (commit) => store.commit(redactor.value(commit)),
      send: (mail) => store.send(redactor.value(mail)),
    },
  }
}

/** The same artifacts; results that are kept whole lose the secrets. Files that a tool keeps by name stay as they are. */
export function redactedArtifacts(artifacts: Artifacts, redactor: Redactor): Artifacts {
  return {
    ...artifacts,
    put: (content, options) => {
      const isResult = typeof content === 'string' && options?.as === undefined
      return artifacts.put(isResult ? redactor.text(content) : content, options)
    },
  }
}
