/** Who sees a campaign while it is a draft. */
export const testUsers = `
ALTER TABLE campaigns ADD COLUMN test_users TEXT NOT NULL DEFAULT '[]'; -- JSON array of user ids
`;
