import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withOpen } from './with-open.ts';

/** Something that is opened when it is told to, and remembers how often it was closed. */
function thing(end: AbortController) {
  const opened = Promise.withResolvers<string>();
  const closed: string[] = [];
  const opening = { open: () => opened.promise, close: (it: string) => void closed.push(it), signal: end.signal };
  return { opened, closed, opening };
}

void describe('what is opened for a while', () => {
  void it('is closed after the work, also after one that failed', async () => {
    const { opened, closed, opening } = thing(new AbortController());
    opened.resolve('it');
    assert.equal(await withOpen(opening, async (it) => `${it} works`), 'it works');
    const failing = withOpen(opening, () => Promise.reject(new Error('does not')));
    await assert.rejects(failing, /^Error: does not$/);
    assert.deepEqual(closed, ['it', 'it']);
  });

  void it('is not waited for once its caller gives up, and closed when it comes after all', async () => {
    const end = new AbortController();
    const { opened, closed, opening } = thing(end);
    let worked = false;
    const waiting = withOpen(opening, async () => (worked = true));
    end.abort(new Error('enough'));
    await assert.rejects(waiting, /^Error: enough$/);
    assert.deepEqual(closed, []);
    opened.resolve('it');
    await new Promise(setImmediate);
    assert.deepEqual([closed, worked], [['it'], false]);
  });

  void it('is closed under the work when its caller gives up, whose reason is told then', async () => {
    const end = new AbortController();
    const { opened, closed, opening } = thing(end);
    opened.resolve('it');
    const working = withOpen(opening, async () => {
      end.abort(new Error('enough'));
      assert.deepEqual(closed, ['it']);
      throw new Error('it was closed');
    });
    await assert.rejects(working, /^Error: enough$/);
  });

  void it('is not opened for a caller who has given up', async () => {
    const { opening } = thing(new AbortController());
    const signal = AbortSignal.abort(new Error('enough'));
    const open = () => assert.fail('opened');
    await assert.rejects(
      withOpen({ ...opening, open, signal }, async () => {}),
      /^Error: enough$/,
    );
  });
});
