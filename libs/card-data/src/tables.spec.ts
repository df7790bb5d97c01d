import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };
const CARD = "4929112233440562";
const SHOWN = "492911******0562";
const masksJson = (value: unknown): unknown => JSON.parse(scanJson(JSON.stringify(value), options).masked);
const masksText = (text: string) => scanText(text, options).masked;

describe("tables in JSON lose what their head names as sensitive", () => {
  it("where the first row names the columns", () => {
    expect(
      masksJson({
        table: [
          ["name", "pan", "exp", "cvv", "pin"],
          ["A", CARD, "12/27", "123", 4321],
          ["B", null, "12/27", 45, "none"],
        ],
      }),
    ).toEqual({
      table: [
        ["name", "pan", "exp", "cvv", "pin"],
        ["A", SHOWN, "12/27", "***", "****"],
        ["B", null, "12/27", "**", "none"],
      ],
    });
  });

  it("where columns stand beside rows, before or behind them, by name or with more", () => {
    const rows = [
      ["7", "123"],
      ["8", "456"],
    ];
    const hidden = [
      ["7", "***"],
      ["8", "***"],
    ];
    expect(masksJson({ columns: ["id", "cvv"], rows })).toEqual({ columns: ["id", "cvv"], rows: hidden });
    expect(masksJson({ rows, fields: [{ name: "id" }, { type: "x", name: "cvv" }] })).toMatchObject({
      rows: hidden,
    });
    expect(masksJson({ meta: { columns: ["id", "cvv"] }, data: rows })).toMatchObject({ data: hidden });
    expect(masksJson({ text: JSON.stringify({ headers: ["id", "cvv"], rows }) })).toEqual({
      text: JSON.stringify({ headers: ["id", "cvv"], rows: hidden }),
    });
  });

  it("and say where, by column", () => {
    const { findings } = scanJson(JSON.stringify({ columns: ["a", "cvv"], rows: [["7", "123"]] }), options);
    expect(findings).toEqual([{ kind: "cvv", path: "/rows/0/1", start: 0, end: 3, rule: "cvv.column" }]);
  });

  it("and nothing else", () => {
    for (const value of [
      { columns: ["id", "code"], rows: [["7", "123"]] },
      { names: ["cvv"], other: "123", rows: [["M"]] },
      [
        ["id", "amount"],
        ["cvv", "123"],
      ],
    ]) {
      expect(masksJson(value)).toEqual(value);
    }
  });
});

describe("a list of a card's parts", () => {
  it.each([
    [
      [CARD, "12/27", "123"],
      [SHOWN, "12/27", "***"],
    ],
    [
      [CARD, "12", "2027", "1234"],
      [SHOWN, "12", "2027", "****"],
    ],
    [
      [Number(CARD), 12, 2027, 123, "x"],
      [SHOWN, 12, 2027, "***", "x"],
    ],
    [
      ["A", CARD, "12/27 123"],
      ["A", SHOWN, "12/27 ***"],
    ],
    [
      [CARD, "123", "12/27"],
      [SHOWN, "***", "12/27"],
    ],
  ])("%j loses its code", (list, hidden) => {
    expect(masksJson({ list })).toEqual({ list: hidden });
    expect(JSON.parse(scanJson(JSON.stringify([list], null, 4), options).masked)).toEqual([hidden]);
    expect(masksJson({ list: hidden })).toEqual({ list: hidden });
  });

  it("says where the code was", () => {
    expect(scanJson(JSON.stringify(["A", CARD, 12, 2027, 123]), options).findings).toMatchObject([
      { kind: "pan", path: "/1" },
      { kind: "cvv", path: "/4", start: 0, end: 3, rule: "cvv.position" },
    ]);
  });
});

describe("rows of SQL", () => {
  it.each([
    [
      `INSERT INTO cards (name, pan, cvv) VALUES ('O''Neil, J', '${CARD}', '123'), ("B", NULL, 987);`,
      `INSERT INTO cards (name, pan, cvv) VALUES ('O''Neil, J', '${SHOWN}', '***'), ("B", NULL, ***);`,
    ],
    [
      "insert into `c` (`id`, `security_code`)\nvalues (1, '123')",
      "insert into `c` (`id`, `security_code`)\nvalues (1, '***')",
    ],
    ["INSERT INTO c (id, pin) VALUES ('77', '4321');", "INSERT INTO c (id, pin) VALUES ('77', '****');"],
  ])("%s", (sql, hidden) => {
    expect(masksText(sql)).toBe(hidden);
    expect(masksJson({ sql })).toEqual({ sql: hidden });
  });

  it("without such columns stay", () => {
    const sql = "INSERT INTO c (id, code) VALUES (1, '123')";
    expect(masksText(sql)).toBe(sql);
  });
});

it("tables drawn with lines lose codes too", () => {
  expect(masksText(`│ name │ cvv │\n├──────┼─────┤\n│ A    │ 123 │\n`)).toBe(
    `│ name │ cvv │\n├──────┼─────┤\n│ A    │ *** │\n`,
  );
});

describe("a card that is split over fields", () => {
  it.each([
    { p1: "4929", p2: "1122", p3: "3344", p4: "0562" },
    { pan_first8: "49291122", pan_last8: "33440562" },
    { card1: "4929", card2: "1122", card3: "3344", card4: "0562" },
    { card: { bin: "492911", rest: "2233440562" } },
    { card: { last: "33440562", first: "49291122" } },
    { content: [{ resource: { uri: "a", text: "49291122" } }, { resource: { uri: "b", text: "33440562" } }] },
    { messages: [{ content: { text: "is 4929 1122" } }, { content: { text: "3344 0562 yes" } }] },
  ])("%j is found", (value) => {
    const { findings, masked } = scanJson(JSON.stringify(value), options);
    expect(findings.length).toBeGreaterThan(1);
    expect(findings.every(({ rule }) => rule === "pan.split")).toBe(true);
    expect(masked.replace(/[^\d*]/g, "")).not.toMatch(/11223344|33440562/);
    expect(scanJson(masked, options).masked).toBe(masked);
  });

  it.each([
    { card: { bin: "492911", exp_month: "12", exp_year: "2027", last4: "0562" } },
    { order: "49291122", customer: "33440562" },
    { payment: { order: "49291122", customer: "33440562" } },
    { id1: "49291122", id2: "33440562" },
    { range: { first: "49291122", last: "33440562" } },
    { part1: "49291122", part2: "33440563" },
  ])("%j is none", (value) => {
    expect(scanJson(JSON.stringify(value), options).findings).toEqual([]);
  });
});
