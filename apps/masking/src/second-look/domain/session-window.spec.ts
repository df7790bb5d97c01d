import { BUILT_IN_POLICY } from "@countersign/card-data";
import { describe, expect, it } from "vitest";
import { SessionWindow } from "./session-window.js";

const options = { policy: BUILT_IN_POLICY };
const seen = (
  id: number,
  value: unknown,
  more: { sessionId?: string; field?: string; atMs?: number } = {},
) => ({
  id,
  sessionId: "s",
  field: "request tools/call",
  text: JSON.stringify(value),
  atMs: id,
  ...more,
});
const after = (...messages: ReturnType<typeof seen>[]) => {
  const window = new SessionWindow<number>();
  return messages.map((message) =>
    window.add(message, options).map(({ seen: { id }, missed }) => ({ id, ...missed })),
  );
};

describe("a session's messages together", () => {
  it("give away a card that came in pieces, and hide each of them", () => {
    const [none, hits] = after(seen(1, { card_number: "49291122" }), seen(2, { card_number: "33440562" }));
    expect(none).toEqual([]);
    expect(hits).toMatchObject([
      { id: 1, text: '{"card_number":"********"}', findings: [{ kind: "pan", path: "/card_number" }] },
      { id: 2, text: '{"card_number":"********"}', findings: [{ rule: "second.joined" }] },
    ]);
    expect(JSON.stringify(hits)).not.toMatch(/492911|0562/);
  });

  it("may be four of them, and numbers too", () => {
    const hits = after(
      ...[4929, 1122, 3344].map((part, n) => seen(n, { pan: part })),
      seen(9, { pan: "0562" }),
    ).at(-1);
    expect(hits?.map(({ id }) => id)).toEqual([0, 1, 2, 9]);
  });

  it.each([
    ["in a field that is not named for cards", [seen(1, { id: "49291122" }), seen(2, { id: "33440562" })]],
    ["in two sessions", [seen(1, { pan: "49291122" }), seen(2, { pan: "33440562" }, { sessionId: "t" })]],
    ["in two fields", [seen(1, { pan: "49291122" }), seen(2, { card_number: "33440562" })]],
    ["to two tools", [seen(1, { pan: "49291122" }), seen(2, { pan: "33440562" }, { field: "other" })]],
    ["too far apart", [seen(1, { pan: "49291122" }), seen(2, { pan: "33440562" }, { atMs: 200_000 })]],
    ["that make no card", [seen(1, { pan: "49291122" }), seen(2, { pan: "33440563" })]],
  ])("say nothing of pieces %s", (_, messages) => {
    expect(after(...messages).flat()).toEqual([]);
  });
});
