// Every error code there is. `docs/errors.md` is generated from this table and a test keeps the two equal.

import { modelGuidance } from './model-guidance.ts'

/** What a code means and what to do. Which codes are worth trying again stands in `retryable.ts`. */
export interface ErrorEntry {
  readonly meaning: string
  readonly mend: string
}

const entry = (meaning: string, mend: string): ErrorEntry => ({ meaning, mend })

/** The catalogue: code → entry. Codes are stable; messages are not. */
export const errorCatalogue = {
  // world
  invalid_value: entry(
    'A value that is not plain JSON was written to a world.',
    'Write only null, booleans, finite numbers, well-formed strings, arrays and plain objects; turn dates into ISO strings and maps into objects.',
  ),
  invalid_name: entry(
    'A component, system, event or resource has a name that is not allowed.',
    'Use letters, digits, `_`, `-` and `.`, starting with a letter, at most 64 characters.',
  ),
  duplicate_name: entry('Two things of one kind have the same name.', 'Rename one of them.'),
  unknown_component: entry(
    'A snapshot or delta names a component that this program does not declare.',
    'Declare the component, or list its name under `retired` if it was removed.',
  ),
  unknown_entity: entry(
    'The entity does not exist, or not any more.',
    'Check `world.exists(entity)` first; ids are never reused.',
  ),
  unknown_resource: entry(
    'A resource was asked for by a name that nothing is bound to.',
    'Bind it: `new World({ resources: { … } })` or `world.bind(name, value)`.',
  ),
  missing_component: entry(
    'An entity does not have the component that was asked for.',
    'Check `world.has(entity, Component)` first, or add the component.',
  ),
  newer_version: entry(
    'Stored state was written by a newer version of the code.',
    'Run it on that newer version; this one leaves it alone.',
  ),
  migration_failed: entry(
    'A component of an older version could not be brought to the current one.',
    'Give the component a `migrate(value, fromVersion)` that handles that version.',
  ),
  invalid_snapshot: entry(
    'A snapshot or delta is torn, foreign or not of the expected shape.',
    'Load an undamaged one; nothing was changed.',
  ),
  stale_write: entry(
    'A system set a value that had changed since the system read it.',
    'Use `world.update(entity, Component, (old) => next)` after an await.',
  ),
  write_forbidden: entry(
    'A write was tried where only reading is allowed.',
    'Write from a system; event subscribers only watch.',
  ),
  subscriber_failed: entry(
    'A subscriber of events threw.',
    'Mend the subscriber; the run and the other subscribers were not touched.',
  ),
  system_failed: entry('A system threw.', 'Read the message; the entity it worked on was halted, the others go on.'),
  unknown_tick: entry('The past that was asked for is not kept.', 'Ask for a tick that the history still holds.'),
  already_running: entry(
    'A world or session that is busy was told to start another turn.',
    'Await the running turn first, or use a second session.',
  ),
  // model
  model_network: entry('The model could not be reached, or the connection broke.', modelGuidance.model_network),
  model_timeout: entry('The model did not answer in time.', modelGuidance.model_timeout),
  model_rate_limit: entry(
    'The provider refused the call because of its rate limit or quota.',
    modelGuidance.model_rate_limit,
  ),
  model_validation: entry('The provider refused the request as invalid.', modelGuidance.model_validation),
  model_permission: entry('The key is valid but may not use this model or feature.', modelGuidance.model_permission),
  model_authentication: entry('The provider refused the key.', modelGuidance.model_authentication),
  model_service: entry('The provider failed on its side, or is overloaded.', modelGuidance.model_service),
  model_not_found: entry('The model or the address does not exist at the provider.', modelGuidance.model_not_found),
  model_unknown: entry('The model failed in a way that could not be classified.', modelGuidance.model_unknown),
  context_overflow: entry(
    'The conversation is longer than the model’s context window.',
    modelGuidance.context_overflow,
  ),
  provider_exhausted: entry(
    'A scripted or recorded model has no reply left.',
    'Add replies to the script, or expect fewer calls.',
  ),
  breaker_open: entry(
    'A circuit breaker is open after repeated failures.',
    'Wait for the time in the message, or fail over to another model.',
  ),
  invalid_reply: entry(
    'A model’s reply broke the wire’s own format.',
    'Check that the base URL is an API of the kind this model expects.',
  ),
  summary_invalid: entry(
    'A model’s summary of a conversation could not be used.',
    'Name a model that keeps to the eight segments as `summaryModel`. The newest messages have stayed, the rest is archived.',
  ),
  output_invalid: entry(
    'The model’s reply did not match the requested output schema, also after one repair.',
    'Simplify the schema or use a stronger model; `error.data.text` has the raw reply.',
  ),
  unknown_provider: entry(
    'No vendor of that name is known.',
    "Use a name of the vendor table, or `model('local/…', { baseURL })` for any OpenAI-compatible server.",
  ),
  unknown_model: entry(
    'A model was asked for by a name that is not registered.',
    'Bind it under that name, or use the name that is bound.',
  ),
  missing_key: entry(
    'The vendor needs an API key and none was found.',
    'Set the variable that the message names, or pass `apiKey`.',
  ),
  unknown_option: entry(
    'An option, or a value of it, is not known.',
    'Use the nearest name that the message suggests.',
  ),
  invalid_option: entry(
    'An option has a value of the wrong type or range.',
    'Read the message: it names the option and what it accepts.',
  ),
  missing_package: entry(
    'A part of this library needs a package that is not installed.',
    'Install it with the command that the message names.',
  ),
  invalid_configuration: entry(
    'A configuration file or environment value cannot be read.',
    'Mend the line that the message names.',
  ),
  // tool
  invalid_schema: entry(
    'A schema is neither a Standard Schema nor a JSON Schema.',
    "Pass a zod (or other Standard Schema) object schema, or a JSON Schema object with `type: 'object'`.",
  ),
  duplicate_tool: entry('Two tools have the same name.', 'Rename one of them.'),
  unknown_tool: entry(
    'The model called a tool that does not exist.',
    'Nothing to do: the model is told which tools there are.',
  ),
  tool_input_invalid: entry(
    'The arguments of a tool call are not valid JSON or do not match the tool’s schema.',
    'Nothing to do: the model is told what is wrong.',
  ),
  tool_denied: entry(
    'A rule or a person denied the tool call.',
    'Allow it in the approval rules, or answer the interaction with approve.',
  ),
  tool_timeout: entry(
    'A tool ran longer than its timeout and was stopped.',
    'Raise the tool’s `timeout`, or make it faster.',
  ),
  tool_failed: entry('A tool threw an error.', 'Read the cause; the model is told the message.'),
  tool_output_invalid: entry(
    'A tool returned something that is not JSON or does not match its `outputSchema`.',
    'Return JSON that matches the schema.',
  ),
  // web
  egress_refused: entry(
    'A request leads to where requests may not go: another scheme or port, or an address that is not public.',
    'Use a public http(s) address, or let the operator open the host or the addresses with `allow`.',
  ),
  egress_failed: entry(
    'A request found no address, no connection or no proper answer.',
    'Check the address and the network; the message says which.',
  ),
  egress_timeout: entry('A request was not answered in time.', 'Try again later, or raise the limit that it names.'),
  egress_too_large: entry(
    'A request or its answer is larger than it may be.',
    'Ask for less, or raise the limit that the message names.',
  ),
  page_refused: entry(
    'A site asks programs not to read this page.',
    'Read something else, or say `robots: false` to webTools where the site is your own.',
  ),
  search_failed: entry(
    'A search of the web could not be made: no service is set up, or it refused.',
    'Read the message: set up `SEARXNG_URL`, `BRAVE_API_KEY` or `TAVILY_API_KEY`, or check the key.',
  ),
  // sandbox
  sandbox_unavailable: entry(
    'Code was to run, but there is no sandbox that it may run in.',
    'Do what the message says, as installing bubblewrap; `tellurion doctor` shows the level and each failed probe.',
  ),
  sandbox_closed: entry('A sandbox was used after it was closed.', 'Create a new one, or close it later.'),
  // agent
  open_tool_calls: entry(
    'A message was to be added to a conversation whose newest tool calls have no results yet.',
    'Answer the open interactions, or let the turn end, first.',
  ),
  unknown_interaction: entry('No open interaction has that id.', 'List the open ones in `result.interactions`.'),
  invalid_answer: entry(
    'The answer does not fit the interaction.',
    "Answer an approval with `'approve'`, `'deny'` or `{ deny: reason }`, a question with `{ text }` or `{ choice }`.",
  ),
  invalid_dependency: entry(
    'A dependency leads to something that is not there, or round in a circle.',
    'Leave out or correct the dependency that the message names.',
  ),
  run_failed: entry('A run ended with an error.', 'Read `error.cause` and `error.result`.'),
  budget_exceeded: entry(
    'The next step would take a run past its budget, so it was not made.',
    'Raise the limit that the message names, lower `maxOutputTokens`, or accept what there is in `error.result`.',
  ),
  planning_error: entry(
    'A plan could not be made, searched for or carried on.',
    'Read the message: it says at which step, and why; new input goes on with the plan.',
  ),
  run_limit: entry(
    'A run reached its limit of ticks before it came to rest.',
    'Raise `maxTicks` or `budget.ticks`, or give the agent a `stopWhen`.',
  ),
  invalid_transition: entry(
    'A run was told to become what it cannot become from where it stands.',
    'Look at its status first; an ended run stays ended, but a failed one can be retried.',
  ),
  step_failed: entry(
    'A step failed, also when it was tried again.',
    'Read `error.cause`; steps that are done stay done.',
  ),
  step_timeout: entry('A step took longer than its timeout and was stopped.', 'Raise its `timeout`, or split it.'),
  unknown_agent: entry(
    'A run names an agent that no worker of this runtime has.',
    'Pass the agent to createRuntime, or use the name that the message suggests.',
  ),
  unknown_run: entry('There is no run of that id.', 'List the runs, or check the id.'),
  run_live: entry(
    'A run of this branch is still live.',
    'Wait for its end, or pass `cancel: true` to cancel it first.',
  ),
  unknown_message: entry('The run has no message of that id.', 'List the messages with their ids: `run.messages()`.'),
  events_dropped: entry(
    'Events of a run were asked for that are not kept any more.',
    'Read from the number on that the message and `error.data.oldest` name: `run.events({ after: oldest - 1 })`.',
  ),
  run_fenced: entry(
    'Another worker holds the run now; what this one was doing is void.',
    'Nothing to do: the other worker goes on from the last commit.',
  ),
  run_timeout: entry('A run was at work longer than it may be.', 'Raise its `timeout`, or split the work.'),
  session_limit: entry(
    'The user has as many sessions as are allowed.',
    'Delete some, or raise `maxSessions` of the runtime.',
  ),
  runtime_closed: entry('The runtime was used after it was closed.', 'Create a new one.'),
  run_crashed: entry(
    'A run lost its worker again and again without getting any further.',
    'Find out what ends the process or keeps it busy, then give the run another try.',
  ),
  aborted: entry('The work was cancelled.', 'Nothing to do.'),
  slow_reader: entry(
    'A reader fell so far behind that it was dropped; the run went on.',
    'Read faster, or read only the result.',
  ),
  channel_full: entry('A bounded queue is full.', 'Wait, or choose another overflow policy.'),
  channel_closed: entry('A queue was used after it was closed.', 'Open a new one.'),
  channel_busy: entry('Two readers waited on one queue.', 'Read a queue in one place.'),
  // knowledge
  invalid_vector: entry(
    'A vector has the wrong length, is all zeros, or holds something that is no finite number.',
    'Use one embedding model for a store and its queries; leave out texts that it gives no vector for.',
  ),
  invalid_document: entry(
    'A document, or a piece of one, cannot be stored as it is.',
    'Read the message: it names the field and what it accepts.',
  ),
  // store
  store_unavailable: entry(
    'The store cannot be opened or reached.',
    'Read the cause: the path, the rights of its folder, or the address.',
  ),
  store_gone: entry(
    'The store’s file, or its log, was deleted, moved or replaced while it was open; nothing more is accepted.',
    'Put it back, or restart to go on with what is at its path now.',
  ),
  store_read_only: entry(
    'The store’s file or folder may not be written.',
    'Give the process write access to the file and to its folder, or choose another path.',
  ),
  store_full: entry(
    'There is no room left for the store; what was acknowledged before is kept.',
    'Make room on the disk, or clean up old sessions, and go on.',
  ),
  store_locked: entry(
    'Another process kept the store locked for too long.',
    'End whatever holds a transaction open on the file, such as a database browser, and try again.',
  ),
  store_corrupt: entry(
    'The store’s file is damaged, or not a store.',
    'Restore a backup, or choose another path; the file was not changed.',
  ),
  store_newer: entry(
    'The store was written by a newer version of the code.',
    'Open it with that version; this one leaves it alone.',
  ),
  store_closed: entry('A store was used after it was closed.', 'Open a new one, or close it later.'),
  file_access: entry(
    'A path is outside the allowed root, or cannot be read.',
    'Use a path under the root that the message names.',
  ),
  file_changed: entry(
    'A file is not any more what an edit, or its undoing, was made for.',
    'Read it again, and make the change for what it is now.',
  ),
  // mcp
  mcp_unavailable: entry(
    'An MCP server cannot be reached, does not answer, or ended in the middle of a request.',
    'Read the message and the server’s log; `mcp.status()` says when it is tried again.',
  ),
  mcp_failed: entry(
    'An MCP server answered with an error, or with what is not MCP.',
    'Read the message: it has the server’s words, and `error.data.mcpCode` the code of the protocol.',
  ),
  mcp_quarantined: entry(
    'A tool of an MCP server is not what the operator let in, so it is not called.',
    'Look at the difference in `mcp.status()`, and accept it with `mcp.accept` if it is meant.',
  ),
  // wire
  malformed_request: entry(
    'A request cannot be read: its body is not JSON, or its address is not well-formed.',
    'Send one JSON object in UTF-8, and encode what is put into the path.',
  ),
  invalid_request: entry(
    'A request can be read, but what it asks for does not fit the interface.',
    'Read the message: it names the field and what it accepts; `/docs` has the whole interface.',
  ),
  unauthenticated: entry(
    'A request brings no token, or one that nobody has.',
    'Send `Authorization: Bearer <token>`; the token is in `TELLURION_TOKEN` or in the file that the server names at its start.',
  ),
  forbidden: entry(
    'The identity, or where the request comes from, may not do this.',
    'Use a token with the scope that the message names; list foreign hosts and origins in the configuration.',
  ),
  unknown_route: entry('The server has nothing under this path.', 'Look at `/docs` for what there is.'),
  unknown_session: entry('There is no session of that id.', 'List the sessions, or make one.'),
  method_not_allowed: entry(
    'The path is there, but not for this method.',
    'Use a method that the header `Allow` names.',
  ),
  request_timeout: entry(
    'A request did not arrive in time.',
    'Send it at once, or raise the limits `headerTime` and `requestTime`.',
  ),
  request_too_large: entry('A request is larger than the server takes.', 'Send less, or raise the limit `body`.'),
  unsupported_media_type: entry(
    'The body is of a type that the server does not read.',
    'Send `Content-Type: application/json`.',
  ),
  upgrade_required: entry('The path speaks WebSocket only.', 'Connect to it with a WebSocket.'),
  rate_limited: entry(
    'The identity has asked more than the server allows at one time.',
    'Wait for the seconds that the header `Retry-After` says, or raise the limit `requests`.',
  ),
  internal_error: entry(
    'The server failed in a way that it did not foresee.',
    'Look into its log for the request id of the answer, and report it.',
  ),
  server_unreachable: entry(
    'A client got no answer from its server, or the connection broke.',
    'See that the server runs and that `baseURL` is its address; what only reads, and what has a key, has been tried again.',
  ),
  invalid_response: entry(
    'What a client was answered did not come from a server of runs, or cannot be read.',
    'Check `baseURL`, and what stands between client and server; `error.data.status` has the HTTP status.',
  ),
} as const satisfies Record<string, ErrorEntry>

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errorCatalogue
