import { expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };
const AMEX = ["3782", "822463", "10005"];
const VISA = ["4929", "1122", "3344", "0562"];

it.each([
  ["a column", `yes\n${VISA.join("\n")}\nthanks`],
  ["a column of three", AMEX.join("\r\n")],
  ["two lines", "4929 1122\n3344 0562"],
  ["two quoted lines", "> 4929 1122\n> 3344 0562"],
  ["two halves", "my card is 49291122\n33440562"],
  ["tabs", VISA.join("\t")],
  ["colons", VISA.join(":")],
  ["bars", VISA.join("|")],
  ["commas", `it is ${VISA.join(", ")}, thanks`],
  ["three commas", AMEX.join(", ")],
  ["brackets", `(${VISA.join(") (")})`],
  ["dots", VISA.join("... ")],
  ["hands", VISA.join(" \u{1F449} ")],
  ["halves on one line", "4929 11223344 0562"],
  ["threes", "492 911 223 344 056 2"],
])("a card in %s is found in text, in a JSON string, and in one in its text", (_, written) => {
  const found = [{ kind: "pan", first6: written.startsWith("3") ? "378282" : "492911" }];
  expect(scanText(written, options).findings).toMatchObject(found);
  expect(scanJson(JSON.stringify({ note: written }), options).findings).toMatchObject(found);
  const nested = JSON.stringify({ text: JSON.stringify({ note: written }) });
  expect(scanJson(nested, options).findings).toMatchObject(found);
});

it.each([
  ["a row of five figures", `17,${VISA.join(",")}`],
  ["a row of six figures", `${VISA.join(", ")}, 5100, 5200`],
  ["rows of a table", `${VISA.join(",")}\n4500,4700,5100,5300`],
  ["a column of five", `${VISA.join("\n")}\n4500`],
  ["two numbers of eight digits", "49291122\n33440562"],
  ["groups of many kinds", "4929, 1122|3344: 0562"],
  ["a wrong check digit", "4929, 1122, 3344, 0563"],
  ["years", "2019, 2020, 2021, 2022"],
])("%s are no card", (_, written) => {
  expect(scanText(written, options).findings).toEqual([]);
  expect(scanJson(JSON.stringify({ note: written }), options).findings).toEqual([]);
});
