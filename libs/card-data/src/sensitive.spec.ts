import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };
const kindsIn = (value: unknown) =>
  scanJson(JSON.stringify(value), options).findings.map(({ kind, path }) => `${kind} ${path}`);
const masks = (text: string) => scanText(text, options).masked;

describe("fields", () => {
  it.each([
    "cvv",
    "CVV2",
    "cvc",
    "cvc2",
    "cid",
    "csc",
    "cav2",
    "cvn",
    "security_code",
    "securityCode",
    "card-security-code",
    "cardCvv",
    "card_verification_value",
    "CardVerificationCode",
    "debit_card_cvv",
    "cvv_code",
    "ｃｖｖ",
  ])("named %s hold a verification code, as text and as a number", (key) => {
    expect(kindsIn({ [key]: "123" })).toEqual([`cvv /${key}`]);
    expect(kindsIn({ [key]: 1234 })).toEqual([`cvv /${key}`]);
    expect(kindsIn({ [key]: [" 123 "] })).toEqual([`cvv /${key}/0`]);
    expect(kindsIn({ [key]: "١٢٣" })).toEqual([`cvv /${key}`]);
  });

  it("hold the answer to what a form asks", () => {
    expect(kindsIn({ label: "CVV", answer: "123" })).toEqual(["cvv /answer"]);
    expect(kindsIn([{ name: "cvc", answers: ["123"] }])).toEqual(["cvv /0/answers/0"]);
    expect(kindsIn({ label: "Room", answer: "123" })).toEqual([]);
  });

  it("named for codes may hold answers and other things, which stay", () => {
    expect(
      kindsIn({ cvv: "M", cvc: true, cid: 123456, csc: "12345", cvv2: null, cvc_check: "pass" }),
    ).toEqual([]);
    expect(kindsIn({ cvv_result: "100", cvv_length: 3, cvvRequired: 1, city_code: "123" })).toEqual([]);
  });

  it("named for tracks, PINs and PIN blocks hold those", () => {
    expect(kindsIn({ track1: "%B4111111111111111^A/B^2712101?" })).toEqual(["track /track1"]);
    expect(kindsIn({ track2Data: "4111111111111111D27121011234F" })).toEqual(["track /track2Data"]);
    expect(kindsIn({ magstripe: ";4111111111111112=2712?" })).toEqual(["track /magstripe"]);
    expect(kindsIn({ pin: "1234", card_pin: 123456, newPin: "0000" })).toEqual([
      "pin /pin",
      "pin /card_pin",
      "pin /newPin",
    ]);
    expect(kindsIn({ pin_block: "0412AC89ABCDEF67", encryptedPin: "a1b2c3d4e5f60718" })).toEqual([
      "pinblock /pin_block",
      "pinblock /encryptedPin",
    ]);
  });

  it("with names that only look alike stay", () => {
    expect(kindsIn({ pin: 13, pincode: "560001", pinned: "1234", shipping: "1234", spin: 1234 })).toEqual([]);
    expect(
      kindsIn({ track: "A song from 1999", track1: "Intro", soundtrack: "1234", tracking: "123456789012" }),
    ).toEqual([]);
  });
});

describe("text", () => {
  it.each([
    ["CVV: 123", "CVV: ***"],
    ["cvc2=1234&x=1", "cvc2=****&x=1"],
    ["security code is 123.", "security code is ***."],
    ["the card's CVV was 987", "the card's CVV was ***"],
    ["cvv%3D123", "cvv%3D%2A%2A%2A".replaceAll("%2A", "*")],
    ['broken {"cvv":"123", "a"', 'broken {"cvv":"***", "a"'],
    ['{\\"cvv\\":\\"123\\"', '{\\"cvv\\":\\"***\\"'],
    ["PIN: 1234", "PIN: ****"],
    ["his pin is 4321", "his pin is ****"],
    ["pin block 0412AC89ABCDEF67", "pin block ****************"],
    ["%B4111111111111111^DOE/J^2712101123400001?", "*".repeat(42)],
    ["B4111111111111111^DOE/J^2712101123400001", "*".repeat(40)],
    [";4111111111111111=27121011234?", "*".repeat(30)],
    ["4111111111111111=27121011234", "*".repeat(28)],
    ["x=%3B4111111111111111%3D27121011234%3F&y", "x=%2A****************%2A***********%2A&y"],
    ["57104111111111111111D27121011234F", "57104111111111111111D27121011234F"],
    ["4111111111111111D27121011234F", "*".repeat(29)],
    ["4111 1111 1111 1111 12/27 123", "4111 11** **** 1111 12/27 ***"],
    ["pin: 4111 1111 1111 1111", "pin: 4111 11** **** 1111"],
  ])("%s", (input, masked) => {
    expect(masks(input)).toBe(masked);
  });

  it.each([
    "pin code 560001",
    "recv: 123 bytes",
    "error code 404",
    "HTTP 200 in 123 ms",
    "cvv not given, amount 123",
    "csv: 1234 rows",
    "version=1234567890123=2712",
    "tracking 123456789012",
  ])("leaves alone: %s", (input) => {
    expect(masks(input)).toBe(input);
  });
});

describe("tables", () => {
  it.each([",", ";", "\t", "|"])("lose the columns that their head names as sensitive: %j", (sign) => {
    const rows = [
      ["Name", "Card number", "CVV", "PIN", "Amount"],
      ["---", "---", "---", "---", "---"],
      ['"Doe"', "4111111111111111", "123", '"4321"', "1234"],
      ["Roe", "5555555555554444", "0123", "none", "567"],
    ];
    const hidden = [
      ["Name", "Card number", "CVV", "PIN", "Amount"],
      ["---", "---", "---", "---", "---"],
      ['"Doe"', "411111******1111", "***", '"****"', "1234"],
      ["Roe", "555555******4444", "****", "none", "567"],
    ];
    const write = (cells: string[][]) => `${cells.map((row) => row.join(sign)).join("\n")}\n\n1,2,333,4444\n`;
    expect(masks(write(rows))).toBe(write(hidden));
  });

  it("keep delimiters that stand in quotes", () => {
    expect(masks('who,cvv,n\n"Doe, Jane",123,456\n')).toBe('who,cvv,n\n"Doe, Jane",***,456\n');
  });

  it("need a head: sentences and rows are none", () => {
    const text = "The cvv, if given, is checked.\nA, 123, B\ncvv: M, n: 1\nA, 123\n";
    expect(masks(text)).toBe(text);
  });
});
