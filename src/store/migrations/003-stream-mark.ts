/** How far each stream was written into this store: a Redis whose stream ends before that went back in time. */
export const streamMark = `
CREATE TABLE stream_mark (
  stream TEXT PRIMARY KEY, -- the key's name, so that every prefix has its own
  id     TEXT NOT NULL     -- the highest entry id, ms-sequence
) STRICT, WITHOUT ROWID;
`;
