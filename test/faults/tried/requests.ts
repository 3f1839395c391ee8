import { htmlError, slowBody, truncatedJson, type Fault as SandboxFault } from '../../support/sandbox-server.ts';
import { incompleteOrDone, ofRequest, type Fault } from '../fault.ts';

export const ofRequests = {
  'request reset': {
    what: 'the connection to a custodian, a target or the gateway is closed without an answer',
    at: 'requests',
    strike: ofRequest(({ answerWith }) => {
      answerWith('reset');
    }),
    ends: [2],
  },
  'half a body': {
    what: 'an answer that says it is whole holds only the first half of its JSON',
    ...answered(truncatedJson),
    ends: incompleteOrDone, // what is not JSON is not asked for again
  },
  'status 503': { what: 'a page for people with status 503', ...answered((where) => htmlError(where, 503)) },
  'no end': { what: 'the answer never ends (the request times out after a second)', ...answered(slowBody) },
  'no answer to it, SIGTERM': {
    what: 'no answer comes at all; after half a second the process is told to stop',
    at: 'requests',
    env: { RECONCILIATION_REQUEST_TIMEOUT: '60s' },
    strike: ofRequest(({ real, answerWith }, { run }) => {
      answerWith({ ...real(), silent: true });
      setTimeout(() => run.child.kill('SIGTERM'), 500);
    }),
    ends: [143, 2],
    closesReport: true,
  },
} satisfies Record<string, Fault>;

function answered(fault: (where: { path: RegExp }) => SandboxFault): Pick<Fault, 'at' | 'strike' | 'ends'> {
  const { respond } = fault({ path: /./ });
  return {
    at: 'requests',
    strike: ofRequest(({ real, answerWith }) => {
      answerWith(respond(real, undefined as never));
    }),
    ends: [2],
  };
}
