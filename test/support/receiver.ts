import { onTestFinished } from 'vitest';
import { startServer, type SandboxAnswer, type SandboxRequest, type SandboxServer } from './sandbox-server.ts';

export interface Receiver extends SandboxServer {
  /** Everything that arrived, in order, also what was answered with a fault. */
  received: SandboxRequest[];
}

/** A server that takes whatever is sent and answers 200, until the test is over: a webhook, a Pushgateway. */
export async function startReceiver(answer: Partial<SandboxAnswer> = {}): Promise<Receiver> {
  const received: SandboxRequest[] = [];
  const server = await startServer({
    rateLimit: undefined,
    handle: () => ({ status: 200, headers: {}, body: '', ...answer }),
    tooMany: () => ({ status: 429, headers: {}, body: '' }),
    headers: (request) => {
      received.push(request);
      return {};
    },
  });
  onTestFinished(() => server.close());
  return { ...server, received };
}
