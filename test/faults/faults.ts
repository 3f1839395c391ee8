import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { failing } from '../simulate/wire.ts';
import { htmlError, slowBody, truncatedJson, type Fault as SandboxFault } from '../support/sandbox-server.ts';
import type { Moment, Request, Statement, Strike } from './moments.ts';
import { fillDisk, freeDisk } from './small-disk.ts';
import type { Run, Scene } from './stage.ts';

/** Where a strike lands. */
interface Place {
  scene: Scene;
  run: Run;
}

/** One thing that is done to a run, at every moment that it fits. */
export interface Fault {
  /** In the words of the table. */
  what: string;
  /** The moments that it fits: messages to the database, requests to anybody else, both; or once, at the first. */
  at: 'statements' | 'requests' | 'moments' | 'beginning';
  /** What has to be done before the run begins, and when it has ended. */
  before?: (scene: Scene) => Promise<unknown>;
  after?: () => Promise<unknown>;
  strike: (moment: Moment, place: Place) => ReturnType<Strike>;
  /** How a run that was struck may end: exit codes, or the signal that killed it. */
  ends: readonly (number | NodeJS.Signals)[];
}

/** Either it could not tell, or what was lost was no part of its result any more. */
const incompleteOrDone = [3, 2] as const;

export const faults = {
  'kill -9': {
    what: 'the process is killed (SIGKILL) as soon as it has said it',
    at: 'moments',
    strike: (_moment, { run }) => run.child.kill('SIGKILL'),
    ends: ['SIGKILL'],
  },
  'kill -15': {
    what: 'the process is told to stop (SIGTERM)',
    at: 'moments',
    strike: (_moment, { run }) => run.child.kill('SIGTERM'),
    ends: [143, 2],
  },
  'database lost': {
    what: 'every connection to the database is cut, and none is made any more',
    at: 'statements',
    strike: (_moment, { scene }) => {
      scene.line.cut();
    },
    ends: incompleteOrDone,
  },
  'connection reset': {
    what: 'a connection is reset before the statement arrives',
    at: 'statements',
    strike: ofStatement(({ drop }) => {
      drop();
    }),
    ends: incompleteOrDone,
  },
  'answer lost': {
    what: 'the statement is carried out, and its connection cut before the answer arrives',
    at: 'statements',
    strike: ofStatement(({ loseAnswer }) => {
      loseAnswer();
    }),
    ends: incompleteOrDone,
  },
  'half an answer': {
    what: 'the connection is cut within the answer, after its eleventh byte',
    at: 'statements',
    strike: ofStatement(({ loseAnswer }) => {
      loseAnswer({ after: 11 });
    }),
    ends: incompleteOrDone,
  },
  'session ended': {
    what: 'pg_terminate_backend ends the session',
    at: 'statements',
    strike: ofStatement(async ({ session }, { scene: { sql } }) => {
      if (session === undefined) return false;
      const [answer] = await sql<{ ended: boolean }[]>`select pg_terminate_backend(${session}) as ended`;
      await sleep(5); // what it says last arrives before the next statement does
      return answer!.ended;
    }),
    ends: incompleteOrDone,
  },
  'server crash': {
    what: 'a process of the server is killed (SIGKILL), and PostgreSQL recovers',
    at: 'statements',
    // else the sequences of a copied database fall back to where the copy began
    before: ({ sql }) => sql`checkpoint`,
    strike: ofStatement(({ session }) => session !== undefined && process.kill(session, 'SIGKILL')),
    ends: incompleteOrDone,
  },
  'no answer, SIGTERM': {
    what: 'no answer comes any more; after a second the process is told to stop',
    at: 'statements',
    strike: ofStatement(({ loseAnswer }, { run }) => {
      loseAnswer({ silent: true });
      setTimeout(() => run.child.kill('SIGTERM'), 1_000);
    }),
    ends: [143, 2],
  },
  'statement timeout': { what: 'PostgreSQL raises 57014 in place of the statement', ...failed('57014') },
  'serialization failure': { what: 'it raises 40001', ...failed('40001') },
  deadlock: { what: 'it raises 40P01', ...failed('40P01') },
  'no room': { what: 'it raises 53100', ...failed('53100') },
  'disk full': {
    what: 'the file system with the data of PostgreSQL is full to the last byte',
    at: 'statements',
    strike: () => fillDisk().then(() => true),
    after: freeDisk,
    ends: incompleteOrDone,
  },
  'table locked': {
    what: 'somebody else locks the table that the statement names, for half a second',
    at: 'statements',
    strike: ofStatement(async (statement, { scene }) => {
      const free = await lockTable(statement, scene);
      if (free === null) return false;
      setTimeout(free, 500);
      return true;
    }),
    ends: [2],
  },
  'locked for good': {
    what: 'the same, for good; after two seconds the process is told to stop',
    at: 'statements',
    strike: ofStatement(async (statement, { scene, run }) => {
      const free = await lockTable(statement, scene);
      if (free === null) return false;
      setTimeout(() => run.child.kill('SIGTERM'), 2_000);
      run.child.once('exit', free);
      return true;
    }),
    ends: [143, 2],
  },
  'slow network': {
    what: 'everything to and from the database takes 10 ms longer',
    at: 'beginning',
    strike: (_moment, { scene: { line } }) => {
      line.carry = (bytes, to) => setTimeout(() => to.writable && to.write(bytes), 10);
    },
    ends: [2],
  },
  'torn bytes': {
    what: 'everything to and from the database arrives in pieces of three bytes',
    at: 'beginning',
    strike: (_moment, { scene: { line } }) => {
      line.carry = (bytes, to) => {
        for (let at = 0; at < bytes.length; at += 3) to.write(bytes.subarray(at, at + 3));
      };
    },
    ends: [2],
  },
  'request reset': {
    what: 'the connection to a custodian, a target or the gateway is closed without an answer',
    at: 'requests',
    strike: (moment) => {
      (moment as Request).answerWith('reset');
    },
    ends: [2],
  },
  'half a body': {
    what: 'an answer that says it is whole holds only the first half of its JSON',
    ...answered(truncatedJson),
    ends: incompleteOrDone, // what is not JSON is not asked for again
  },
  'status 503': { what: 'a page for people with status 503', ...answered((where) => htmlError(where, 503)) },
  'no end': { what: 'the answer never ends (the request times out after a second)', ...answered(slowBody) },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export function isMeant({ at }: Fault): (moment: Moment) => boolean {
  return ({ kind }) => at === 'moments' || at === 'beginning' || at === `${kind}s`;
}

function ofStatement(strike: (statement: Statement, place: Place) => ReturnType<Strike>): Fault['strike'] {
  return (moment, place) => strike(moment as Statement, place);
}

/**
 * Locks the first table that it names and that can be had within a moment (what the run itself has locked is not), and
 * returns what frees it. Null: there is none.
 */
async function lockTable({ says }: Statement, { sql }: Scene): Promise<(() => void) | null> {
  const words = says.match(/\w+/g) ?? [];
  const named = await sql<{ table: string }[]>`
    select tablename as table from pg_tables
    where schemaname = 'public' and tablename = any(${words})
    order by array_position(${words}, tablename::text)`;
  const holder = await sql.reserve();
  const free = async () => {
    await holder`rollback`;
    holder.release();
  };
  for (const { table } of named) {
    await holder`begin`;
    await holder`set local lock_timeout = '100ms'`;
    const problem = await holder`lock table ${sql(table)} in access exclusive mode`.then(
      () => null,
      (error: unknown) => error as postgres.PostgresError,
    );
    if (problem === null) return () => void free().catch(() => undefined); // where the scene is over, it is free
    await holder`rollback`;
    if (problem.code !== lockNotAvailable) throw problem;
  }
  holder.release();
  return null;
}

const lockNotAvailable = '55P03';

/** The server answers with this error: it really raises it, in place of the statement. */
function failed(code: string): Pick<Fault, 'at' | 'strike' | 'ends'> {
  return {
    at: 'statements',
    strike: ofStatement((statement) => {
      if (!statement.executes) return false; // but makes a connection
      statement.bytes = failing(code, 'a fault made by a test', statement);
      return true;
    }),
    ends: incompleteOrDone,
  };
}

function answered(fault: (where: { path: RegExp }) => SandboxFault): Pick<Fault, 'at' | 'strike' | 'ends'> {
  const { respond } = fault({ path: /./ });
  return {
    at: 'requests',
    strike: (moment) => {
      const { real, answerWith } = moment as Request;
      answerWith(respond(real, undefined as never));
    },
    ends: [2],
  };
}
