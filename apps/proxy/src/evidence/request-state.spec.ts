import { describe, expect, it } from "vitest";
import { withoutRequestState } from "./request-state.js";

const key = Buffer.alloc(32, 1);

describe("the record of a message with a requestState", () => {
  it("holds a digest in its place, the same when the state comes back", () => {
    const answer = withoutRequestState(`{"result":{"requestState":"s3cret","x":1.0}}`, key);
    const retry = withoutRequestState(`{"params":{"name":"a","requestState":"s3cret"}}`, key);
    const digest = /[0-9a-f]{64}/.exec(answer)?.[0];
    expect(answer).toBe(`{"result":{"requestState":"requestState hmac-sha256 ${digest}","x":1.0}}`);
    expect(retry).toContain(String(digest));
    expect(answer + retry).not.toContain("s3cret");
  });

  it("holds a digest in its place however its name is written", () => {
    expect(withoutRequestState(`{"result":{"request\\u0053tate":"s3cret"}}`, key)).not.toContain("s3cret");
  });

  it("holds another digest for another state, and under another key", () => {
    const digests = [
      withoutRequestState(`{"result":{"requestState":"a"}}`, key),
      withoutRequestState(`{"result":{"requestState":"b"}}`, key),
      withoutRequestState(`{"result":{"requestState":"a"}}`, Buffer.alloc(32, 2)),
    ];
    expect(new Set(digests).size).toBe(3);
  });

  it("is untouched where something else is called so", () => {
    const text = `{"result":{"content":[{"requestState":"mine"}]}}`;
    expect(withoutRequestState(text, key)).toBe(text);
  });
});
