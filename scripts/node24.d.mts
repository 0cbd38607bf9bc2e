export const SERVICE_FLAGS: readonly string[];
export function findNode(): string;
export function nodeEnvironment(): NodeJS.ProcessEnv;
