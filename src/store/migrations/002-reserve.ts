/** A campaign's own `reserve`; null is what the setting says. */
export const reserve = `
ALTER TABLE campaigns ADD COLUMN reserve INTEGER CHECK (reserve BETWEEN 0 AND 3600); -- seconds
`;
