/** From the service's log: what its runs were interrupted by, by code, and its errors; nothing that breaks outside is one. */
export function readInterruptions(log: string): { interruptions: Record<string, number>; errors: string[] } {
  const interruptions: Record<string, number> = {};
  const errors: string[] = [];
  for (const line of log.split('\n')) {
    const { level, msg, code } = parsed(line);
    if (level === undefined ? line !== '' : level === 'error') errors.push(line);
    if (msg === 'the run was interrupted and tries again')
      interruptions[`${code}`] = (interruptions[`${code}`] ?? 0) + 1;
  }
  return { interruptions, errors };
}

function parsed(line: string): { readonly level?: string; readonly msg?: string; readonly code?: string } {
  try {
    return JSON.parse(line) as object;
  } catch {
    return {};
  }
}
