import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { failing } from '../simulate/wire.ts';
import {
  htmlError,
  slowBody,
  truncatedJson,
  type SandboxAnswer,
  type Fault as SandboxFault,
} from '../support/sandbox-server.ts';
import { hold, hostTablesIn, tablesIn } from './locks.ts';
import type { Moment, Request, Statement, Strike } from './moments.ts';
import { promoteAnother, shutDown } from './restarts.ts';
import { deadlocked, embrace, overtake, serializableByDefault, tablesWrittenIn, writes } from './rivals.ts';
import { fillDisk, freeDisk } from './small-disk.ts';
import type { Run, Scene } from './stage.ts';
import type { Rehearsal } from './trial.ts';

/** Where a strike lands. */
interface Place {
  scene: Scene;
  run: Run;
  /** To what it is done, of the `objects` of a fault; else it is empty. */
  on: string;
}

/** One thing that is done to a run, at every moment that it fits. */
export interface Fault {
  /** In the words of the table. */
  what: string;
  /** The moments that it fits: messages to the database, requests to anybody else, both; or once, at the first. */
  at: 'statements' | 'requests' | 'moments' | 'beginning';
  /** Narrows them down. */
  fits?: (moment: Moment) => boolean;
  /** What it is done to, one at a time, where that is more than one thing. */
  objects?: (rehearsal: Rehearsal) => readonly string[];
  /** Variables of the run. */
  env?: Record<string, string>;
  /** What has to be done before the run begins, and when it has ended. */
  before?: (scene: Scene) => Promise<unknown>;
  after?: () => Promise<unknown>;
  strike: (moment: Moment, place: Place) => ReturnType<Strike>;
  /** How a run that was struck may end: exit codes, or the signal that killed it. */
  ends: readonly (number | NodeJS.Signals)[];
  /** What a run says that could not tell. */
  says?: RegExp;
  /** It may not leave its report open. */
  closesReport?: true;
  /** Whether it really came to that, where the strike alone cannot tell. */
  happened?: (scene: Scene) => Promise<boolean>;
}

const onTables = { at: 'statements', objects: tablesIn } as const;

const troubles = {
  silent: (real) => ({ ...real(), silent: true }),
  '429': () => ({ status: 429, headers: {}, body: 'slow down' }),
  '503': () => ({ status: 503, headers: {}, body: '<h1>away</h1>' }),
  nonsense: (real) => ({ ...real(), headers: { 'content-type': 'application/json' }, body: '{"ok":fal' }),
  cut: (real) => ({ ...real(), body: 'a body that', sendOnly: 3, then: 'cut' }),
} as const satisfies Record<string, (real: Request['real']) => SandboxAnswer>;

const onTargets = {
  at: 'requests',
  objects: () => Object.keys(troubles),
  fits: ({ says }: Moment) => /^(webhook|pagerduty|slack|gateway) /.test(says),
} as const;

function inTrouble(moment: Moment, on: string): void {
  const { real, answerWith } = moment as Request;
  answerWith(troubles[on as keyof typeof troubles](real));
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
  restart: {
    what: 'the server is restarted (fast shutdown), and is there again after two seconds',
    at: 'statements',
    before: ({ sql }) => sql`checkpoint`,
    strike: (_moment, { scene }) => shutDown(scene, 'fast'),
    ends: incompleteOrDone,
  },
  failover: {
    what: 'the server dies, and after two seconds another one, promoted from its log, has taken its place',
    at: 'statements',
    before: ({ sql }) => sql`checkpoint`,
    strike: (_moment, { scene }) => promoteAnother(scene),
    ends: incompleteOrDone,
  },
  'refused for a while': {
    what: 'every connection to the database is cut, and refused for half a second',
    at: 'statements',
    strike: (_moment, { scene: { line } }) => {
      line.refuse();
      setTimeout(line.mend, 500);
    },
    ends: incompleteOrDone,
  },
  'lock lost': {
    what: 'pg_terminate_backend ends the session that holds the lock of all runs',
    at: 'moments',
    strike: async (_moment, { scene: { sql } }) => {
      const ended = await sql`
        select pg_terminate_backend(held.pid)
        from pg_locks as held
        inner join pg_database as own on own.oid = held.database and own.datname = current_database()
        where
          held.locktype = 'advisory'
          and (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('recon run public', 0)`;
      return ended.length > 0;
    },
    ends: incompleteOrDone,
  },
  'lock taken': {
    what: 'somebody holds the lock of the alerts or of the metrics until the run has ended, or that of all runs for a second',
    at: 'statements',
    fits: ({ says }) => says.includes('advisory_xact_lock'),
    objects: () => ['run', 'alerts', 'metrics'],
    strike: async (_moment, { scene, run, on }) => {
      const name = `recon ${on} public`;
      const { free } = await hold(
        scene,
        (holder) => holder`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`,
      );
      const ended = once(run.child, 'exit');
      void (on === 'run' ? Promise.race([ended, sleep(1_000)]) : ended).then(free);
      return true;
    },
    ends: [2],
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
    what: 'somebody locks a table that a run names, one after the other, for half a second',
    ...onTables,
    strike: async (_moment, { scene, on }) => {
      const { free } = await hold(scene, (holder) => holder`lock table ${holder(on)} in access exclusive mode`);
      setTimeout(free, 500);
      return true;
    },
    ends: [2],
  },
  'locked for good': {
    what: 'the same, for good; the run may take five seconds',
    ...onTables,
    env: { RECONCILIATION_RUN_TIMEOUT: '5s' },
    strike: lockForGood,
    ends: incompleteOrDone,
    says: /lock|deadline/,
  },
  'locked, SIGTERM': {
    what: 'the same, for good; after two seconds the process is told to stop',
    ...onTables,
    strike: async (moment, place) => {
      setTimeout(() => place.run.child.kill('SIGTERM'), 2_000);
      return lockForGood(moment, place);
    },
    ends: [143, 2],
  },
  'locked, kill -9': {
    what: 'the same; after a second the process is killed, and the table is free after fifteen more',
    ...onTables,
    strike: async (_moment, { scene, run, on }) => {
      const { free } = await hold(scene, (holder) => holder`lock table ${holder(on)} in access exclusive mode`);
      setTimeout(() => run.child.kill('SIGKILL'), 1_000);
      run.child.once('exit', () => setTimeout(free, 15_000));
      return true;
    },
    ends: ['SIGKILL', 2],
  },
  'rows locked': {
    what: 'the host locks all rows of one of its tables (`for update`) until the run has ended',
    ...onTables,
    objects: hostTablesIn,
    strike: async (_moment, { scene, run, on }) => {
      const { free } = await hold(scene, (holder) => holder`select from ${holder(on)} for update`);
      run.child.once('exit', free);
      return true;
    },
    ends: [2],
  },
  'real deadlock': {
    what: 'somebody locks a table that a run writes, and once it waits wants what its transaction has locked',
    at: 'statements',
    objects: tablesWrittenIn,
    strike: (_moment, { scene, run, on }) => embrace(on, scene, run),
    happened: deadlocked,
    ends: incompleteOrDone,
  },
  'rows rewritten': {
    what: 'somebody rewrites the rows of the table that the statement writes, and commits when it waits for them; transactions are serializable by default',
    at: 'statements',
    fits: writes,
    before: serializableByDefault,
    strike: ofStatement((statement, { scene }) => overtake(statement, scene)),
    ends: [2],
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
  'no answer to it, SIGTERM': {
    what: 'no answer comes at all; after half a second the process is told to stop',
    at: 'requests',
    env: { RECONCILIATION_REQUEST_TIMEOUT: '60s' },
    strike: (moment, { run }) => {
      (moment as Request).answerWith({ ...(moment as Request).real(), silent: true });
      setTimeout(() => run.child.kill('SIGTERM'), 500);
    },
    ends: [143, 2],
    closesReport: true,
  },
  'target in trouble': {
    what: 'a target or the gateway does not answer, says 429, 503 or nonsense, or is cut off in the middle',
    ...onTargets,
    strike: (moment, { on }) => {
      inTrouble(moment, on);
    },
    ends: [2],
  },
  'target, kill -9': {
    what: 'the same, and 30 ms later the process is killed',
    ...onTargets,
    strike: (moment, { on, run }) => {
      inTrouble(moment, on);
      setTimeout(() => run.child.kill('SIGKILL'), 30);
    },
    ends: ['SIGKILL', 2],
  },
  'target, SIGTERM': {
    what: 'the same, and 30 ms later the process is told to stop',
    ...onTargets,
    strike: (moment, { on, run }) => {
      inTrouble(moment, on);
      setTimeout(() => run.child.kill('SIGTERM'), 30);
    },
    ends: [143, 2],
    closesReport: true,
  },
  'no end': { what: 'the answer never ends (the request times out after a second)', ...answered(slowBody) },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export function isMeant({ at, fits }: Fault): (moment: Moment) => boolean {
  return (moment) =>
    (at === 'moments' || at === 'beginning' || at === `${moment.kind}s`) && (fits === undefined || fits(moment));
}

function ofStatement(strike: (statement: Statement, place: Place) => ReturnType<Strike>): Fault['strike'] {
  return (moment, place) => strike(moment as Statement, place);
}

async function lockForGood(_moment: Moment, { scene, run, on }: Place): Promise<true> {
  const { free } = await hold(scene, (holder) => holder`lock table ${holder(on)} in access exclusive mode`);
  run.child.once('exit', free);
  return true;
}

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
