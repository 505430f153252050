-- Schema 3: what operators set and nobody may forget, such as the rate limit of a task queue.

CREATE TABLE settings (
    namespace_no INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    name         TEXT NOT NULL,
    data         BLOB NOT NULL,
    PRIMARY KEY (kind, namespace_no, name)
) WITHOUT ROWID, STRICT;
