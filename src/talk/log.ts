import { pino, type Logger } from 'pino';
import type { Config } from '../config.ts';
import { isExplained } from '../database/problem.ts';
import { flowed } from '../flowed.ts';
import { Incomplete } from '../incomplete.ts';
import { OperatorError } from '../operator-error.ts';
import { plain } from '../plain.ts';
import type { Mask } from '../secrets.ts';
import { SignalInterrupt, widthOf, type Output, type World } from '../world.ts';

export type { Logger } from 'pino';

/** Where the lines go, and the clock that stands in them. */
interface Talk {
  stderr: Pick<Output, 'isTTY' | 'columns' | 'write'>;
  now: World['now'];
}

export interface LogOptions {
  level: Config['logLevel'];
  /** auto: one plain line each on a terminal, JSON for machines. ecs: the fields of the Elastic Common Schema. */
  format: Config['logFormat'];
}

/**
 * Talk on stderr, one line for each event, every line past the mask. Datadog and Loki read `level`, `service`,
 * `timestamp`, `message` and `error.kind` / `error.message` / `error.stack` as they are; Elastic wants its own names. No
 * field of ours is called `status`, `host`, `date` or `severity`: these they would take for those of the line.
 */
export function createLogger({ stderr, now }: Talk, { level, format }: LogOptions, mask: Mask): Logger {
  const names = format === 'ecs' ? elastic : plainJson;
  const isForPeople = format === 'auto' && stderr.isTTY === true;
  const text = (line: string) => (isForPeople ? forPeople(line, mask, widthOf(stderr)) : mask(line));
  return pino(
    {
      level,
      base: names.base,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"${names.timestamp}":"${now().toISOString()}"`,
      formatters: { level: (label) => ({ [names.level]: label }) },
      serializers: { error: names.error },
    },
    { write: (line: string) => stderr.write(text(line)) },
  );
}

const plainJson = { base: { service: 'recon' }, timestamp: 'timestamp', level: 'level', error: describeError };

/** Elastic Common Schema: dotted names at the top, and the version that they are of. */
const elastic = {
  base: { 'service.name': 'recon', 'ecs.version': '8.11.0' },
  timestamp: '@timestamp',
  level: 'log.level',
  error: (error: unknown) => {
    const { type, message, stack } = describeError(error);
    return { type, message, stack_trace: stack };
  },
};

/** A fixed list of fields: other properties of an error may hold headers with credentials. */
function describeError(error: unknown): { kind?: string; type?: string; message: string; stack?: string | undefined } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack } = error;
  return { kind: name, type: name, message, ...(isBug(error) && { stack }) };
}

/** What people or machines led to is told by its sentence. */
function isBug(error: Error): boolean {
  const isForeseen = error instanceof OperatorError || error instanceof Incomplete || error instanceof SignalInterrupt;
  return !isForeseen && !isExplained(error);
}

function forPeople(line: string, mask: Mask, width: number): string {
  const { level, message, timestamp } = JSON.parse(line) as { level: string; message: string; timestamp: string };
  return flowed(
    `${timestamp.slice(11, 19)} `,
    `${level === 'info' ? '' : `${level}: `}${mask(plain(message))}`,
    width,
    { whole: true },
  );
}
