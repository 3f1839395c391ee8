// As much of PostgreSQL's protocol (its documentation, "Message Formats") as it takes to tell what is being said.

/** What a client says. */
export interface Said {
  /** The statement that is begun or carried on, on one line; of a connection that is being made, `connect`. */
  says: string;
  /** The server is to do something, and not only to read a statement. */
  executes: boolean;
  /** The client waits for the server to be ready. */
  syncs: boolean;
}

/** Reads what a client sends in pieces as they come, which may be cut anywhere. */
export class FrontendMessages {
  #rest: Buffer = Buffer.alloc(0);
  #isConnecting = true;
  #statement = 'connect';

  read(bytes: Buffer): Said {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const said = { executes: false, syncs: false };
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      if (frame.type === 'Q') this.#statement = textFrom(frame.body);
      if (frame.type === 'P') this.#statement = textFrom(frame.body.subarray(frame.body.indexOf(0) + 1)); // after a name
      if (frame.type === 'X') this.#statement = 'end';
      said.executes ||= frame.type === 'Q' || frame.type === 'E';
      said.syncs ||= frame.type === 'Q' || frame.type === 'S';
    }
    return { says: this.#statement, ...said };
  }

  /** The first message of a connection has no type. */
  #next(): { type: string; body: Buffer } | undefined {
    const typed = this.#isConnecting ? 0 : 1;
    if (this.#rest.length < typed + 4) return undefined;
    const end = typed + this.#rest.readInt32BE(typed);
    if (this.#rest.length < end) return undefined;
    const type = this.#rest.toString('latin1', 0, typed);
    const body = this.#rest.subarray(typed + 4, end);
    this.#rest = this.#rest.subarray(end);
    this.#isConnecting = false;
    return { type, body };
  }
}

function textFrom(body: Buffer): string {
  return body.toString('utf8', 0, body.indexOf(0)).replace(/\s+/g, ' ').trim();
}

/** The number of the server's process, from the answer (BackendKeyData) that has it. */
export function sessionIn(answer: Buffer): number | undefined {
  for (let at = 0; at + 9 <= answer.length; at += 1 + Math.max(4, answer.readInt32BE(at + 1)))
    if (answer.toString('latin1', at, at + 1) === 'K') return answer.readInt32BE(at + 5);
  return undefined;
}

/** A statement in the place of another one: it is answered as an error of that statement would be. */
export function failing(code: string, message: string, { says, syncs }: Said): Buffer {
  const raise = `do $$ begin raise exception using errcode = '${code}', message = '${message}'; end $$`;
  if (/^commit$/i.test(says)) return frame('Q', `rollback; ${raise}\0`); // a commit that fails ends the transaction
  const unnamed = '\0';
  return Buffer.concat([
    frame('P', `${unnamed}${raise}\0\0\0`),
    frame('B', `${unnamed}\0\0\0\0\0\0\0`),
    frame('E', `${unnamed}\0\0\0\0`),
    syncs ? frame('S', '') : frame('H', ''),
  ]);
}

function frame(type: string, body: string): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(4 + Buffer.byteLength(body), 1);
  return Buffer.concat([head, Buffer.from(body)]);
}
