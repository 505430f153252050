-- Schema 1. Applied in one transaction; the version in the file's header (user_version) says that it was.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- namespace_no stands for the long id in all other tables. A namespace that only has runs has no name and no data.
CREATE TABLE namespaces (
    namespace_no INTEGER PRIMARY KEY,
    namespace_id TEXT NOT NULL UNIQUE,
    name         TEXT UNIQUE,
    data         BLOB
) STRICT;

-- run_no stands for the long key. The snapshot comes last: the columns before it are read without it.
CREATE TABLE executions (
    run_no       INTEGER PRIMARY KEY,
    namespace_no INTEGER NOT NULL,
    workflow_id  TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    version      INTEGER NOT NULL,
    wake_at      INTEGER,
    snapshot     BLOB NOT NULL,
    UNIQUE (namespace_no, workflow_id, run_id)
) STRICT;

CREATE INDEX executions_by_wake_at ON executions (wake_at, run_id) WHERE wake_at IS NOT NULL;

CREATE TABLE current_executions (
    namespace_no INTEGER NOT NULL,
    workflow_id  TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    PRIMARY KEY (namespace_no, workflow_id)
) WITHOUT ROWID, STRICT;

-- With a rowid: the batches of all runs are appended to one end, where a group commit fills few pages. Kept in the
-- order of (run_no, first_event_id), each batch would dirty a page of its own (docs/decisions/0003-sqlite-driver.md).
CREATE TABLE history (
    run_no         INTEGER NOT NULL,
    first_event_id INTEGER NOT NULL,
    events         BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX history_by_run ON history (run_no, first_event_id);

-- closed_at is 2^63-1 for an open run, so that one descending index lists open runs first.
CREATE TABLE visibility (
    run_no                 INTEGER PRIMARY KEY,
    namespace_no           INTEGER NOT NULL,
    workflow_type          TEXT NOT NULL,
    task_queue             TEXT NOT NULL,
    status                 INTEGER NOT NULL,
    start_time             INTEGER NOT NULL,
    execution_time         INTEGER NOT NULL,
    closed_at              INTEGER NOT NULL,
    history_length         INTEGER NOT NULL,
    history_size_bytes     INTEGER NOT NULL,
    state_transition_count INTEGER NOT NULL,
    memo                   BLOB NOT NULL,
    search_attributes      BLOB NOT NULL,
    parent_workflow_id     TEXT NOT NULL,
    parent_run_id          TEXT NOT NULL,
    root_workflow_id       TEXT NOT NULL,
    root_run_id            TEXT NOT NULL
) STRICT;

CREATE INDEX visibility_by_close_time ON visibility (namespace_no, closed_at DESC, start_time DESC);
CREATE INDEX visibility_by_type ON visibility (namespace_no, workflow_type, closed_at DESC, start_time DESC);
CREATE INDEX visibility_by_status ON visibility (namespace_no, status, closed_at DESC, start_time DESC);
