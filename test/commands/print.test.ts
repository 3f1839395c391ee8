import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { print } from '../../src/commands/print.ts';

/** Takes one chunk at a time and is done with it a moment later. */
class SlowReader extends Writable {
  text = '';
  /** The most that ever waited in its buffer. */
  waiting = 0;

  constructor() {
    super({ highWaterMark: 10 });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.waiting = Math.max(this.waiting, this.writableLength);
    setImmediate(done);
  }
}

test('waits for a slow reader, and leaves nothing behind on its stream', async () => {
  const reader = new SlowReader();
  const chunks = Array.from({ length: 200 }, (_, index) => `line ${index}\n`);
  await print(reader, chunks);
  expect(reader.text).toBe(chunks.join(''));
  expect(reader.waiting).toBeLessThan(30);
  for (const event of ['drain', 'close', 'error']) expect(reader.listenerCount(event), event).toBe(0);
});

test('stops reading when the reader goes away, also while it is waited for', async () => {
  const reader = new Writable({
    highWaterMark: 1,
    write: () => {
      setImmediate(() => reader.destroy()); // never done with what it was given
    },
  });
  let closed = false;
  async function* endless() {
    try {
      for (;;) yield await Promise.resolve('a line\n');
    } finally {
      closed = true;
    }
  }
  await print(reader, endless());
  expect(closed).toBe(true);
});
