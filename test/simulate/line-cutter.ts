import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
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

/** A relay before a database, which can be cut: what a killed process, backend or network leaves behind. */
export interface LineCutter {
  /** The database, through the relay. */
  url: string;
  /** Ends every connection, and refuses further ones. */
  cut: () => void;
  /** The same, as where no server listens any more. */
  refuse: () => void;
  /** Lets connections through again. */
  mend: () => void;
  /** How bytes get to where they go: at once, unless something else is put here. */
  carry: (bytes: Buffer, to: Socket) => void;
  close: () => Promise<void>;
}

/** `onMessage` is told of every message before it is passed on, and waited for: it may strike. */
export async function startLineCutter(
  databaseUrl: string,
  onMessage: (message: Message) => Promise<void> | void,
): Promise<LineCutter> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    tie(client, upstream);
    const line = new Line(client, upstream, (bytes, to) => {
      cutter.carry(bytes, to);
    });
    client.on('data', (bytes: Buffer) => {
      const message = line.message(bytes);
      const passOn = () => {
        if (!isCut && !client.destroyed) cutter.carry(message.bytes, upstream);
      };
      const held = onMessage(message);
      if (held === undefined) {
        passOn();
        return;
      }
      client.pause();
      const giveUp = () => client.destroy();
      void held.then(passOn).then(() => client.resume(), giveUp);
    });
    upstream.on('data', (bytes: Buffer) => {
      line.answer(bytes);
    });
  });
  /** Where one end goes, the other goes too. */
  const tie = (...ends: [Socket, Socket]) => {
    for (const [socket, other] of [ends, ends.toReversed()] as [Socket, Socket][]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cutter: LineCutter = {
    url: url.href,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    refuse: () => {
      cutter.cut();
      server.close();
    },
    mend: () => {
      isCut = false;
      if (!server.listening) server.listen(Number(url.port), '127.0.0.1');
      cutter.carry = atOnce;
    },
    carry: atOnce,
    close: async () => {
      cutter.cut();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
  return cutter;
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
