/** The server's own, in lower case; they are never captured. Managed servers write their heartbeats there. */
export const SYSTEM_DATABASES: readonly string[] = ['information_schema', 'mysql', 'performance_schema', 'sys'];
