import type { SandboxAnswer } from '../../support/sandbox-server.ts';
import { ofRequest, type Fault } from '../fault.ts';
import type { Moment, Request } from '../moments.ts';

const troubles: Record<string, (real: Request['real']) => SandboxAnswer> = {
  silent: (real) => ({ ...real(), silent: true }),
  '429': () => ({ status: 429, headers: {}, body: 'slow down' }),
  '503': () => ({ status: 503, headers: {}, body: '<h1>away</h1>' }),
  nonsense: (real) => ({ ...real(), headers: { 'content-type': 'application/json' }, body: '{"ok":fal' }),
  cut: (real) => ({ ...real(), body: 'a body that', sendOnly: 3, then: 'cut' }),
};

const onTargets = {
  at: 'requests',
  objects: () => Object.keys(troubles),
  fits: ({ says }: Moment) => /^(webhook|pagerduty|slack|gateway) /.test(says),
} as const;

export const ofTargets = {
  'target in trouble': {
    what: 'a target or the gateway does not answer, says 429, 503 or nonsense, or is cut off in the middle',
    ...onTargets,
    strike: inTrouble(),
    ends: [2],
  },
  'target, kill -9': {
    what: 'the same, and 30 ms later the process is killed',
    ...onTargets,
    strike: inTrouble('SIGKILL'),
    ends: ['SIGKILL', 2],
  },
  'target, SIGTERM': {
    what: 'the same, and 30 ms later the process is told to stop',
    ...onTargets,
    strike: inTrouble('SIGTERM'),
    ends: [143, 2],
    closesReport: true,
  },
} satisfies Record<string, Fault>;

/** `signal`: what the process is sent besides. */
function inTrouble(signal?: NodeJS.Signals): Fault['strike'] {
  return ofRequest(({ real, answerWith }, { on, run }) => {
    answerWith(troubles[on]!(real));
    if (signal !== undefined) setTimeout(() => run.child.kill(signal), 30);
  });
}
