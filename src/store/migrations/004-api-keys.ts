/** API keys: what is kept of them. */
export const apiKeys = `
CREATE TABLE api_keys (
  id         TEXT PRIMARY KEY,  -- the public part of the key
  name       TEXT NOT NULL,
  sha256     BLOB NOT NULL,     -- of the whole key; the key itself is nowhere
  created_at INTEGER NOT NULL,  -- epoch ms
  revoked_at INTEGER            -- epoch ms, null while it is live
) STRICT;
CREATE UNIQUE INDEX live_api_key_names ON api_keys (name) WHERE revoked_at IS NULL;
`;
