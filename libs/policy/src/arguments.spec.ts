import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { argumentTypesOf } from "./argument-types.js";
import { convertArguments } from "./arguments.js";

const types = argumentTypesOf(`
  type Money = { cents?: Long, rate?: decimal };
  type Arguments = { id?: String, flag?: Bool, money?: Money, tags?: Set<String>, since?: datetime, from?: ipaddr };
`);

describe("converting arguments", () => {
  it("gives each declared argument its declared type and leaves the rest out", () => {
    expect(
      convertArguments(
        {
          id: "a",
          flag: true,
          money: { cents: 5, rate: 1.25, other: 1 },
          tags: ["x"],
          since: "2026-01-01",
          from: "10.0.0.1",
          other: {},
        },
        types,
      ),
    ).toEqual({
      value: {
        id: "a",
        flag: true,
        money: { cents: 5, rate: { __extn: { fn: "decimal", arg: "1.2500" } } },
        tags: ["x"],
        since: { __extn: { fn: "datetime", arg: "2026-01-01" } },
        from: { __extn: { fn: "ip", arg: "10.0.0.1" } },
      },
    });
  });

  it.each([
    [{ money: { rate: 1.23456 } }, "arguments.money.rate must be a number with at most four decimal places"],
    [{ money: [] }, "arguments.money must be an object"],
    [{ tags: ["a", 1] }, "arguments.tags element must be a string of at most 65536 characters"],
    [
      { tags: Array.from({ length: 1001 }, () => "a") },
      "arguments.tags must be an array of at most 1000 elements",
    ],
    [{ id: "x".repeat(65_537) }, "arguments.id must be a string of at most 65536 characters"],
    [{ flag: "true" }, "arguments.flag must be true or false"],
  ])("names the place and the expected type of %j", (given, problem) => {
    expect(convertArguments(given, types)).toEqual({ problem });
  });

  it("never throws, whatever JSON it is given", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom(...types.keys()), fc.jsonValue()),
        (any, known) => {
          for (const given of [any, known])
            expect(Object.keys(convertArguments(given, types))).toHaveLength(1);
        },
      ),
    );
  });

  it("refuses a schema whose arguments JSON cannot carry", () => {
    expect(() => argumentTypesOf(`entity User; type Arguments = { user?: User };`)).toThrow(
      /Arguments\.user/,
    );
  });
});
