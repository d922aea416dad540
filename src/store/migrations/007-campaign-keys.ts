/** Campaigns that are kept in files, and what waits for the approval of another user. */
export const campaignKeys = `
ALTER TABLE campaigns ADD COLUMN key TEXT; -- what a campaign is called in the files; null for one that was made by hand
CREATE UNIQUE INDEX campaign_keys ON campaigns (key) WHERE key IS NOT NULL;

ALTER TABLE audit ADD COLUMN plan TEXT;    -- the hash of the plan that was applied, where one was
CREATE INDEX audit_by_subject ON audit (subject);

CREATE TABLE approval_requests (
  hash    TEXT PRIMARY KEY, -- of what is to be done, and of what it would be done to
  subject TEXT NOT NULL,    -- plan, setting:timezone
  detail  TEXT NOT NULL,    -- JSON: what is to be done, for who approves
  who     TEXT NOT NULL,
  at      INTEGER NOT NULL  -- epoch ms
) STRICT, WITHOUT ROWID;
CREATE TABLE approvals (
  hash TEXT NOT NULL REFERENCES approval_requests (hash) ON DELETE CASCADE,
  who  TEXT NOT NULL,
  at   INTEGER NOT NULL,    -- epoch ms
  PRIMARY KEY (hash, who)
) STRICT, WITHOUT ROWID;
`;
