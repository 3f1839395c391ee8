import { connect, type Socket } from 'node:net';

/** What the driver tells about the server that it wants a socket to. */
interface Target {
  host: readonly string[];
  port: readonly number[];
  path: string | false;
  ssl: unknown;
}

/** More sockets than this in the time below are no use of a pool, but one query that is tried again and again. */
const mostSockets = 30;
const inMs = 5_000;

/**
 * Makes the sockets of a pool. Left to itself the driver opens the next one, at once and for ever, when a server
 * closes a connection before it is ready: such a close is made an error here, which the driver gives to the query.
 * When `signal` is aborted, whoever waits for a server that says nothing is told too.
 */
export class Dialer {
  readonly #signal: AbortSignal | undefined;
  readonly #open = new Set<Socket>();
  #dialed: number[] = [];
  #isOver = false;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  dial(target: Target): Socket {
    if (this.#isOver) throw new DialingProblem('CONNECTION_CLOSED');
    this.#dialed = [...this.#dialed.filter((time) => time > performance.now() - inMs), performance.now()];
    if (this.#dialed.length > mostSockets) throw new DialingProblem('CLOSED_ON_CONNECT'); // inside TLS we do not see the close
    const [host, port] = [target.host[0] ?? '', target.port[0] ?? 5432];
    const socket = target.path === false ? connect(port, host) : connect(target.path);
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    watch(socket, target, this.#signal);
    // from there the driver reads the name for a certificate, and Node the address of one (it would take localhost)
    return Object.assign(socket, { host, port, _host: host });
  }

  /** Once the pool has ended: a connection that was being made meanwhile the driver forgets, and the process would live on. */
  hangUp(): void {
    this.#isOver = true;
    for (const socket of this.#open) socket.destroy();
  }
}

function watch(socket: Socket, { ssl }: Target, signal: AbortSignal | undefined): void {
  let closed = 'CLOSED_ON_CONNECT';
  const giveUp = () => socket.destroy(new DialingProblem('CONNECTION_CLOSED'));
  const forget = () => signal?.removeEventListener('abort', giveUp);
  signal?.addEventListener('abort', giveUp);
  socket.once('data', (answer: Buffer) => {
    forget();
    if (firstAnswers.has(answer[0] ?? 0)) closed = 'CONNECTION_CLOSED';
    if (answer.toString('latin1') === noTls && ssl !== 'prefer') socket.destroy(new DialingProblem('NO_TLS'));
  });
  socket.once('end', () => socket.destroy(new DialingProblem(closed)));
  socket.once('close', forget);
}

/** How PostgreSQL begins (its protocol, "Message Formats"): authentication, an error, or yes and no to TLS. */
const noTls = 'N';
const firstAnswers = new Set(['R', 'E', 'S', noTls].map((letter) => letter.charCodeAt(0)));

/** A connection that was not made, or was lost. The driver gives it to the query that wanted the connection. */
class DialingProblem extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`The connection was not made or was lost (${code}).`);
    this.code = code;
  }
}
