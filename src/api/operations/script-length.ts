/** Characters of a script (TaskParam, TaskContent): a task of 1,000 tables of 20 columns takes about 4 million. */
export const SCRIPT_LENGTH_MAX = 16 * 1024 * 1024;
