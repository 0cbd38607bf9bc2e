/** What the plan of a version of a job warned of: a JSON list of texts. */
export const jobWarnings = `
ALTER TABLE task_job ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
`;
