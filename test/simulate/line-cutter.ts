import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FrontendMessages, sessionIn } from './wire.ts';

/** What a client sends to its server in one go, before it is passed on: a blow decides what becomes of it. */
export interface Message {
  /** The statement that it begins or carries on, on one line; of a connection that is being made, `connect`. */
  says: string;
  /** It makes the server do something, and not only read a statement. */
  executes: boolean;
  /** It ends with a point where the client waits for the server. */
  syncs: boolean;
  /** The number of the server's process, once it has said so. */
  session: number | undefined;
  /** What is passed on. */
  bytes: Buffer;
  /** Ends this connection, and passes nothing on. */
  drop: () => void;
  /** Passes so many bytes of the answer on and then ends the connection; `silent`: keeps it, and says no more. */
  loseAnswer: (options?: { after?: number; silent?: boolean }) => void;
}

/** Is told of every message before it is passed on, and waited for: it may strike. */
type OnMessage = (message: Message) => Promise<void> | void;

/** A relay before a database, which can be cut: what a killed process, backend or network leaves behind. */
export class LineCutter {
  /** The database, through the relay. */
  readonly url: string;
  /** How bytes get to where they go: at once, unless something else is put here. */
  carry = atOnce;
  #isCut = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `server` listens already. */
  constructor(server: Server, databaseUrl: string, onMessage: OnMessage) {
    const target = new URL(databaseUrl);
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.url = url.href;
    this.#server = server.on('connection', (client: Socket) => {
      if (this.#isCut) client.destroy();
      else this.#relay(client, connect(Number(target.port), target.hostname), onMessage);
    });
  }

  /** Ends every connection, and refuses further ones. */
  cut = (): void => {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  };

  /** The same, as where no server listens any more. */
  refuse = (): void => {
    this.cut();
    this.#server.close();
  };

  /** Lets connections through again. */
  mend = (): void => {
    this.#isCut = false;
    if (!this.#server.listening) this.#server.listen(Number(new URL(this.url).port), '127.0.0.1');
    this.carry = atOnce;
  };

  close = async (): Promise<void> => {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  };

  #relay(client: Socket, upstream: Socket, onMessage: OnMessage): void {
    this.#tie(client, upstream);
    this.#tie(upstream, client);
    const line = new Line(client, upstream, (bytes, to) => {
      this.carry(bytes, to);
    });
    client.on('data', (bytes: Buffer) => {
      const message = line.message(bytes);
      const passOn = () => {
        if (!this.#isCut && !client.destroyed) this.carry(message.bytes, upstream);
      };
      const held = onMessage(message);
      if (held === undefined) passOn();
      else passLater(client, held, passOn);
    });
    upstream.on('data', (bytes: Buffer) => {
      line.answer(bytes);
    });
  }

  /** Where one end goes, the other goes too. */
  #tie(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay();
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      other.destroy();
    });
  }
}

export async function startLineCutter(databaseUrl: string, onMessage: OnMessage): Promise<LineCutter> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new LineCutter(server, databaseUrl, onMessage);
}

/** What a client says meanwhile waits too. */
function passLater(client: Socket, held: Promise<void>, passOn: () => void): void {
  client.pause();
  const giveUp = () => client.destroy();
  void held.then(passOn).then(() => client.resume(), giveUp);
}

function atOnce(bytes: Buffer, to: Socket): void {
  if (to.writable) to.write(bytes);
}

/** One connection of a client, and its own to the server. */
class Line {
  readonly #messages = new FrontendMessages();
  #session: number | undefined;
  /** How many bytes of answers are still passed on. */
  #left = Infinity;
  #silent = false;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #carry: LineCutter['carry'];

  constructor(client: Socket, upstream: Socket, carry: LineCutter['carry']) {
    [this.#client, this.#upstream, this.#carry] = [client, upstream, carry];
  }

  message(bytes: Buffer): Message {
    return {
      ...this.#messages.read(bytes),
      session: this.#session,
      bytes,
      drop: () => {
        this.#client.resetAndDestroy();
        this.#upstream.destroy();
      },
      loseAnswer: ({ after = 0, silent = false } = {}) => {
        [this.#left, this.#silent] = [after, silent];
      },
    };
  }

  answer(bytes: Buffer): void {
    this.#session ??= sessionIn(bytes);
    const passed = bytes.subarray(0, this.#left);
    this.#left -= passed.length;
    if (passed.length > 0) this.#carry(passed, this.#client);
    if (passed.length < bytes.length && !this.#silent) this.#client.destroySoon();
  }
}
