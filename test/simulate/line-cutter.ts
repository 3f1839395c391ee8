import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A relay before a database that strikes at a message: what a killed process, backend or network leaves behind. */
export interface LineCutter {
  /** The database, through the relay. */
  url: string;
  /** Calls `blow` once when the nth message from now on comes from the client, before it is passed on. */
  strikeAt: (message: number, blow: () => void) => void;
  /** Calls `blow` once when the client says what is meant: before the server hears it, or before its answer is heard. */
  strikeWhen: (isMeant: (message: Buffer) => boolean, moment: 'unheard' | 'unanswered', blow: () => void) => void;
  /** Counts a message that goes elsewhere: a request to a custodian, an alert. */
  count: () => void;
  /** Ends every connection, and refuses further ones. */
  cut: () => void;
  /** Lets connections through again, and strikes no more. */
  mend: () => void;
  close: () => Promise<void>;
}

export async function startLineCutter(databaseUrl: string): Promise<LineCutter> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isCut = false;
  let countdown = Infinity;
  let strike: () => void = () => undefined;
  const never: (message: Buffer) => boolean = () => false;
  let [isHeard, isAnswered] = [never, never] as [typeof never, typeof never];
  const count = () => {
    countdown -= 1;
    if (countdown === 0) strike();
  };
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (message) => {
      count();
      if (isHeard(message)) strike();
      if (isAnswered(message)) upstream.prependOnceListener('data', strike); // before it is passed on
      if (!upstream.destroyed) upstream.write(message);
    });
    upstream.on('data', (message) => {
      if (!client.destroyed) client.write(message);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    strikeAt: (message, blow) => {
      countdown = message;
      strike = blow;
    },
    strikeWhen: (isMeant, moment, blow) => {
      [isHeard, isAnswered] = moment === 'unheard' ? [isMeant, never] : [never, isMeant];
      strike = () => {
        [isHeard, isAnswered] = [never, never];
        blow();
      };
    },
    count,
    cut,
    mend: () => {
      isCut = false;
      countdown = Infinity;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
