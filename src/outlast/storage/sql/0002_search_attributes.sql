-- Schema 2: the values of search attributes, one row each: a keyword list has a row per member, a text per word.
-- key is the type's number and the name, so that a name that was given another type finds none of the old values.

CREATE TABLE search_attributes (
    run_no       INTEGER NOT NULL,
    key          TEXT NOT NULL,
    value        ANY NOT NULL,
    namespace_no INTEGER NOT NULL,
    PRIMARY KEY (run_no, key, value)
) WITHOUT ROWID, STRICT;

CREATE INDEX search_attributes_by_value ON search_attributes (namespace_no, key, value);
