/** When a task that is over once its tables are loaded was. */
export const finished = `
ALTER TABLE task ADD COLUMN finished_at INTEGER;
`;
