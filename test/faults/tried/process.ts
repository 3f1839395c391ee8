import type { Fault } from '../fault.ts';

export const ofProcess = {
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
} satisfies Record<string, Fault>;
