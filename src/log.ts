import { pino, type Logger } from 'pino';
import { plain } from './plain.ts';
import type { Mask } from './secrets.ts';
import type { Output, World } from './world.ts';

export type { Logger } from 'pino';

/** Where the lines go, and the clock that stands in them. */
interface Talk {
  stderr: Pick<Output, 'isTTY' | 'write'>;
  now: World['now'];
}

/**
 * Talk on stderr: JSON lines for machines, one plain line each on a terminal. Every line passes the mask. Field names
 * keep clear of those that log systems read as severity or host (`status`, `host`, `date`).
 */
export function createLogger({ stderr, now }: Talk, level: string, mask: Mask): Logger {
  const format = stderr.isTTY === true ? forPeople : (line: string) => line;
  return pino(
    {
      level,
      base: { service: 'recon' },
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"timestamp":"${now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    { write: (line: string) => stderr.write(mask(format(line))) },
  );
}

/** A fixed list of fields: other properties of an error may hold headers with credentials. */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  return { type: error.name, message: error.message, stack: error.stack };
}

function forPeople(line: string): string {
  const { level, message, timestamp } = JSON.parse(line) as { level: string; message: string; timestamp: string };
  return `${timestamp.slice(11, 19)} ${level === 'info' ? '' : `${level}: `}${plain(message)}\n`;
}
