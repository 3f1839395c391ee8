import type { DatabaseProblem } from './problem.ts';

/**
 * What PostgreSQL said about the statements of one SQL file, for people: the file and line with a caret under the
 * place, if PostgreSQL named one, then its detail.
 */
export function describeSqlProblem(file: string, text: string, problem: DatabaseProblem): string {
  const said = [problem.message, problem.detail].filter((part) => part !== undefined).join('. ');
  if (problem.position === undefined) return `${file}: ${said} (${problem.code}).`;
  const before = text.slice(0, offsetOf(text, problem.position)).split('\n');
  const line = text.split('\n')[before.length - 1] ?? '';
  const margin = `${before.length} | `;
  const caret = ' '.repeat(margin.length + Array.from(before.at(-1) ?? '').length) + '^';
  return [`${file}:${before.length}: ${said} (${problem.code}).`, `${margin}${line}`, caret].join('\n');
}

/** PostgreSQL counts characters from 1, JavaScript UTF-16 units from 0. */
function offsetOf(text: string, position: number): number {
  return Array.from(text)
    .slice(0, position - 1)
    .join('').length;
}
