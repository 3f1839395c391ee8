// Fails below the share of lines of src/ that the last `npm test` must have run.
import { existsSync, readFileSync } from 'node:fs';

const floor = 90;
const summary = new URL('../coverage/coverage-summary.json', import.meta.url);
const lines = existsSync(summary) ? JSON.parse(readFileSync(summary, 'utf8')).total.lines.pct : undefined;
const verdict =
  lines === undefined ? 'No coverage yet: run npm test first.' : `${lines} % of the lines of src are covered.`;
console.log(verdict);
process.exitCode = lines >= floor ? 0 : 1;
