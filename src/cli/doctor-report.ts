import type { Examination, Finding } from '../pipeline/connector.ts';

const LEVELS = ['problem', 'warning', 'fine'] as const;
const MARGIN = 9;

/** For people: what stands in the way first, each with what follows and what to do; at last what is fine. */
export function renderExamination(title: string, { server, account, databases, findings }: Examination): string {
  const looked = databases.length === 0 ? 'no database was named: tables were not looked at' : databases.join(', ');
  const blocks = LEVELS.flatMap((level) => findings.filter((finding) => finding.level === level).map(render));
  return [`${title}: ${server}, as ${account}; ${looked}`, '', ...blocks, '', summary(findings), ''].join('\n');
}

function render(finding: Finding): string {
  const { level, code, found, consequence, remedy } = finding;
  const head = level.padEnd(MARGIN);
  if (level === 'fine') return `${head}${consequence === '' ? found : `${found}: ${consequence}`}`;
  const lines = [`${code === null ? '' : `${code}: `}${found}`, `→ ${consequence}`, remedy];
  return `${head}${lines.join(`\n${' '.repeat(MARGIN)}`)}`;
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const named = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  return problems === 0
    ? `Nothing stands in the way; ${named(warnings, 'warning')}.`
    : `${named(problems, 'problem')} ${problems === 1 ? 'stands' : 'stand'} in the way; ${named(warnings, 'warning')}.`;
}
