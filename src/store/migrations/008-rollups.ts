/**
 * Rollups: the events once more, some ten thousand at a time, by campaign and in columns (event-columns.ts), which is what reports read.
 * A store that has events gets theirs with the next ones that are written. The index of events by campaign had served reports and extend, which read rollups now.
 */
export const rollups = `
CREATE TABLE rollups (
  up_to       INTEGER NOT NULL, -- the id of the last event that was rolled up together with these; what comes after the greatest is in none yet
  campaign_id INTEGER NOT NULL,
  from_at     INTEGER NOT NULL, -- epoch ms, the earliest of its events
  to_at       INTEGER NOT NULL, -- and the latest
  events      BLOB NOT NULL,
  PRIMARY KEY (up_to, campaign_id)
) STRICT;
CREATE INDEX rollups_by_campaign ON rollups (campaign_id, from_at, to_at);

-- The numbers that stand for string ids in rollups.
CREATE TABLE user_numbers (
  number  INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL UNIQUE
) STRICT;

DROP INDEX events_by_campaign;
`;
