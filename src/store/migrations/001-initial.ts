/** The first shape of the store. */
export const initial = `
CREATE TABLE campaigns (
  id          INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: counters and events refer to it
  title       TEXT NOT NULL,
  body        TEXT,
  image_url   TEXT NOT NULL,
  action_url  TEXT NOT NULL,
  priority    INTEGER NOT NULL,
  target      TEXT NOT NULL,
  caps        TEXT NOT NULL,    -- JSON array of N/WINDOW
  start_time  INTEGER NOT NULL, -- epoch ms
  end_time    INTEGER NOT NULL, -- epoch ms
  status      TEXT NOT NULL CHECK (status IN ('draft', 'active', 'paused', 'ended')),
  count_on    TEXT NOT NULL CHECK (count_on IN ('impression', 'serve')),
  stop_after  TEXT NOT NULL,    -- JSON array of click, dismiss
  exempt      INTEGER NOT NULL CHECK (exempt IN (0, 1)),
  CHECK (end_time > start_time)
) STRICT;

CREATE TABLE audiences (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL CHECK (kind IN ('users', 'segment')),
  name       TEXT NOT NULL,     -- the segment's name, or the campaign's id for its user list
  encoding   TEXT NOT NULL CHECK (encoding IN ('bitmap', 'set')),
  integers   INTEGER NOT NULL,
  strings    INTEGER NOT NULL,
  revision   TEXT NOT NULL,     -- changes with every change of the members or the encoding
  loaded_at  INTEGER NOT NULL,  -- epoch ms
  UNIQUE (kind, name)
) STRICT;

-- Integer members in chunks of 65,536 ids: 8 KiB of bits, or 16-bit members when sparse.
CREATE TABLE audience_chunks (
  audience_id INTEGER NOT NULL REFERENCES audiences (id) ON DELETE CASCADE,
  number      INTEGER NOT NULL,
  members     BLOB NOT NULL,
  PRIMARY KEY (audience_id, number)
) STRICT;

CREATE TABLE audience_strings (
  audience_id INTEGER NOT NULL REFERENCES audiences (id) ON DELETE CASCADE,
  user_id     TEXT NOT NULL,
  PRIMARY KEY (audience_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- campaign_id has no foreign key: an event outlives its campaign.
CREATE TABLE events (
  id            INTEGER PRIMARY KEY,
  type          TEXT NOT NULL CHECK (type IN ('impression', 'click', 'dismiss')),
  campaign_id   INTEGER NOT NULL,
  user_id       TEXT NOT NULL,
  impression_id TEXT NOT NULL,
  at            INTEGER NOT NULL, -- epoch ms
  over_cap      INTEGER NOT NULL CHECK (over_cap IN (0, 1)),
  session_id    TEXT,
  UNIQUE (user_id, type, impression_id)
) STRICT;
CREATE INDEX events_by_campaign ON events (campaign_id, at);

-- Stream entries that are no events: set aside so that they hold up nothing, with what was wrong.
CREATE TABLE dead_events (
  stream_id TEXT PRIMARY KEY,
  reason    TEXT NOT NULL,
  fields    TEXT NOT NULL -- JSON
) STRICT;

CREATE TABLE audit (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL, -- epoch ms
  who     TEXT NOT NULL,
  what    TEXT NOT NULL,    -- the command: campaign.create, segment.load, …
  subject TEXT NOT NULL,    -- campaign:7, segment:payroll, setting:timezone
  before  TEXT,             -- JSON, null when it did not exist
  after   TEXT              -- JSON, null when it is gone
) STRICT;
`;
