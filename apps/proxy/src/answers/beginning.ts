import type { AnswerBody } from "../upstream/upstream.js";

/** A line of a stream of events begins with one of its fields' names or is a comment; JSON begins otherwise. */
const streamSigns = /^\s*[:deir]/;

/**
 * Looks at how a body begins that is said to be JSON: some servers send a stream of events under that name, and whoever
 * waits for the end of one waits for long. The body is whole again afterwards.
 */
export async function beginning(body: AnswerBody): Promise<{ body: AnswerBody; isStream: boolean }> {
  const pieces = body[Symbol.asyncIterator]();
  const first = await pieces.next();
  let taken = false;
  const next = (): Promise<IteratorResult<Buffer>> => {
    if (taken) return pieces.next();
    taken = true;
    return Promise.resolve(first);
  };
  const end = async (): Promise<IteratorResult<Buffer>> => {
    await pieces.return?.();
    return { done: true, value: undefined };
  };
  return {
    isStream: first.done !== true && streamSigns.test(first.value.toString("latin1", 0, lookedAtBytes)),
    body: { destroy: () => body.destroy(), [Symbol.asyncIterator]: () => ({ next, return: end }) },
  };
}

const lookedAtBytes = 64;
