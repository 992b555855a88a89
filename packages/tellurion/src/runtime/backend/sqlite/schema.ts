// The tables of durable runs in SQLite. A journal row's rowid is its branch's key times 2^32 plus its number, so that
// rows of a branch lie together and one insert is the compare-and-set.

import { keyValueTable } from '../../../store/sqlite/key-value.ts'
import type { Layout } from '../../../store/sqlite/open-options.ts'

/**
 * Run rows change only when a run's state does: `events`, `read` and `crashes` of a running one follow from its last
 * journal row. `turn` orders the runs of a branch, `live` is 1 until a run has ended, `stamp` rises with every change.
 */
const tables = `
CREATE TABLE session (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  user TEXT NOT NULL,
  branch TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  touched_at INTEGER NOT NULL,
  own INTEGER NOT NULL
) STRICT;
CREATE INDEX session_user ON session (user, own);
CREATE INDEX session_touched ON session (touched_at);

CREATE TABLE branch (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  session TEXT NOT NULL,
  parent TEXT,
  parent_seq INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX branch_session ON branch (session);

CREATE TABLE run (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  branch INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  live INTEGER NOT NULL,
  status TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  events INTEGER NOT NULL,
  read INTEGER NOT NULL,
  mail INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  available_at INTEGER NOT NULL,
  lease_until INTEGER,
  due INTEGER,
  asking INTEGER NOT NULL,
  stamp INTEGER NOT NULL,
  agent TEXT NOT NULL,
  session TEXT NOT NULL,
  user TEXT NOT NULL,
  parent TEXT,
  idempotency_key TEXT,
  created_at INTEGER NOT NULL,
  more TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_idempotency ON run (user, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX run_live ON run (branch, turn) WHERE live = 1;
CREATE INDEX run_queue ON run (priority DESC, key) WHERE status = 'queued';
CREATE INDEX run_available ON run (available_at) WHERE status = 'queued';
CREATE INDEX run_lease ON run (lease_until) WHERE status = 'running';
CREATE INDEX run_due ON run (due) WHERE status = 'waiting' AND due IS NOT NULL;
CREATE INDEX run_status ON run (status, key);
CREATE INDEX run_session ON run (session, key);
CREATE INDEX run_parent ON run (parent, key) WHERE parent IS NOT NULL;
CREATE INDEX run_asking ON run (key) WHERE asking > 0;
CREATE INDEX run_stamp ON run (stamp);

CREATE TABLE mail (
  run INTEGER NOT NULL,
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (run, position),
  UNIQUE (run, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  tick INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  event INTEGER NOT NULL,
  read INTEGER NOT NULL,
  at INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  operations TEXT NOT NULL,
  events TEXT NOT NULL,
  versions TEXT
) STRICT;

CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  sum INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
`

/** What a user or a tenant has spent, and what is lent to runs: both JSON. */
const accountTable = `
CREATE TABLE account (
  id TEXT PRIMARY KEY,
  spent TEXT NOT NULL,
  lent TEXT NOT NULL,
  ends INTEGER
) STRICT, WITHOUT ROWID;
`

/** The file of durable runs: `application_id` is "TELL". */
export const runLayout: Layout = {
  mark: 0x54454c4c,
  version: 2,
  create: `${tables}${keyValueTable};${accountTable}`,
  upgrades: { 1: accountTable },
}
