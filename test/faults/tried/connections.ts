import { setTimeout as sleep } from 'node:timers/promises';
import { incompleteOrDone, ofStatement, type Fault } from '../fault.ts';

export const ofConnections = {
  'database lost': {
    what: 'every connection to the database is cut, and none is made any more',
    at: 'statements',
    strike: (_moment, { scene: { line } }) => {
      line.cut();
    },
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
  'no answer, SIGTERM': {
    what: 'no answer comes any more; after a second the process is told to stop',
    at: 'statements',
    strike: ofStatement(({ loseAnswer }, { run }) => {
      loseAnswer({ silent: true });
      setTimeout(() => run.child.kill('SIGTERM'), 1_000);
    }),
    ends: [143, 2],
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
} satisfies Record<string, Fault>;
