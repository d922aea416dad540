/**
 * Audiences in versions: every load makes one. A row of members says from which version on it holds (since) and from which on it
 * does not (until), so a version costs what changed in it, and rolling back is finding what held then.
 */
export const audienceVersions = `
CREATE TABLE audiences_new (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL CHECK (kind IN ('users', 'segment')),
  name       TEXT NOT NULL,     -- the segment's name, or the campaign's id for its user list
  version    INTEGER NOT NULL,  -- the present one
  revision   TEXT NOT NULL,     -- changes with every version; unlike its number, not given twice when an audience is deleted
  UNIQUE (kind, name)
) STRICT;
INSERT INTO audiences_new SELECT id, kind, name, 1, revision FROM audiences;

CREATE TABLE audience_versions (
  audience_id INTEGER NOT NULL REFERENCES audiences_new (id) ON DELETE CASCADE,
  version     INTEGER NOT NULL,
  at          INTEGER NOT NULL, -- epoch ms
  who         TEXT NOT NULL,
  what        TEXT NOT NULL,    -- the command
  mode        TEXT NOT NULL,    -- replace, add, remove, or rollback
  file        TEXT,             -- its name; null for what came from no file
  sha256      TEXT,             -- of the file's bytes as they lie there, compressed or not
  rows        INTEGER NOT NULL,
  added       INTEGER NOT NULL,
  removed     INTEGER NOT NULL,
  rejected    INTEGER NOT NULL,
  integers    INTEGER NOT NULL,
  strings     INTEGER NOT NULL,
  max_integer INTEGER NOT NULL, -- -1 for none
  encoding    TEXT NOT NULL CHECK (encoding IN ('bitmap', 'set', 'bloom')),
  PRIMARY KEY (audience_id, version)
) STRICT, WITHOUT ROWID;
INSERT INTO audience_versions
  SELECT id, 1, loaded_at, '', 'upgrade', 'replace', NULL, NULL, integers + strings, integers + strings, 0, 0, integers, strings,
    coalesce((SELECT (max(number) + 1) * 65536 - 1 FROM audience_chunks WHERE audience_id = id), -1), encoding FROM audiences;

-- Integer members in chunks of 65,536 ids: 8 KiB of bits, or 16-bit members when sparse.
CREATE TABLE audience_chunks_new (
  audience_id INTEGER NOT NULL REFERENCES audiences_new (id) ON DELETE CASCADE,
  number      INTEGER NOT NULL,
  since       INTEGER NOT NULL,
  until       INTEGER,          -- null while it holds
  members     BLOB NOT NULL,
  PRIMARY KEY (audience_id, number, since)
) STRICT;
INSERT INTO audience_chunks_new SELECT audience_id, number, 1, NULL, members FROM audience_chunks;

CREATE TABLE audience_strings_new (
  audience_id INTEGER NOT NULL REFERENCES audiences_new (id) ON DELETE CASCADE,
  user_id     TEXT NOT NULL,
  since       INTEGER NOT NULL,
  until       INTEGER,
  PRIMARY KEY (audience_id, user_id, since)
) STRICT, WITHOUT ROWID;
INSERT INTO audience_strings_new SELECT audience_id, user_id, 1, NULL FROM audience_strings;

DROP TABLE audience_chunks;
DROP TABLE audience_strings;
DROP TABLE audiences;
ALTER TABLE audiences_new RENAME TO audiences;
ALTER TABLE audience_chunks_new RENAME TO audience_chunks;
ALTER TABLE audience_strings_new RENAME TO audience_strings;
CREATE UNIQUE INDEX present_chunks ON audience_chunks (audience_id, number) WHERE until IS NULL;
CREATE INDEX former_chunks ON audience_chunks (audience_id, until) WHERE until IS NOT NULL;
CREATE INDEX former_strings ON audience_strings (audience_id, until) WHERE until IS NOT NULL;
`;
