import { describe, expect, it } from "vitest";

import { JsonRefused } from "./json-refused.js";
import { scanJson, scanText } from "./scan.js";
import { BUILT_IN_POLICY } from "./built-in-policy.js";

const options = { policy: BUILT_IN_POLICY };
const masksJson = (input: string) => scanJson(input, options).masked;
const masksText = (input: string) => scanText(input, options).masked;

describe("JSON", () => {
  it("comes back as the very same string where nothing is found", () => {
    const input = '{ "amount" : 1.10, "id":6205500000000000005, "note":"caf\\u00e9", "big":1e400 }';
    const result = scanJson(input, options);
    expect(result.masked).toBe(input);
    expect(result.withoutSad).toBe(input);
    expect(result).toMatchObject({ findings: [], changed: false, sad: false });
  });

  it("keeps every byte around the tokens that change", () => {
    const input = '{ "a" : 1.10,\t"n":4111111111111111 , "s":"x\\u00e9 4111 1111 1111 1111\\n", "z":-0.0e-7}';
    expect(masksJson(input)).toBe(
      '{ "a" : 1.10,\t"n":"411111******1111" , "s":"x\\u00e9 4111 11** **** 1111\\n", "z":-0.0e-7}',
    );
  });

  it("masks keys, and tells no card number in a path", () => {
    const result = scanJson('{"4111111111111111":{"a/b":"4111111111111111"}}', options);
    expect(result.masked).toBe('{"411111******1111":{"a/b":"411111******1111"}}');
    expect(result.findings.map(({ path }) => path)).toEqual(["/411111******1111", "/411111******1111/a~1b"]);
  });

  it("never makes two keys of an object equal", () => {
    expect(masksJson('{"4111110000081112":1,"4111110000161112":2,"411111******1112":3}')).toBe(
      '{"411111******1112#2":1,"411111******1112#3":2,"411111******1112":3}',
    );
  });

  it("removes sensitive authentication data from what is sealed, and keeps the card number there", () => {
    const result = scanJson(
      '{"pan":"4111111111111111","cvv":"123","pin":1234,"track2":";4111111111111111=27?"}',
      options,
    );
    expect(result.withoutSad).toBe(
      '{"pan":"4111111111111111","cvv":"***","pin":"****","track2":"*********************"}',
    );
    expect(result.sad).toBe(true);
    expect(result.findings.map(({ kind, rule }) => `${kind} ${rule}`)).toEqual([
      "pan pan.range",
      "cvv cvv.key",
      "pin pin.key",
      "track track.key",
    ]);
  });

  it("finds cards in JSON in a string, base64 and escapes, and keeps their shape", () => {
    expect(masksJson('{"n":"{\\"pan\\":\\"4111111111111111\\",\\"cvv\\":\\"123\\"}"}')).toBe(
      '{"n":"{\\"pan\\":\\"411111******1111\\",\\"cvv\\":\\"***\\"}"}',
    );
    expect(masksJson('["NDExMTExMTExMTExMTExMQ=="]')).toBe('["NDExMTExKioqKioqMTExMQ=="]');
    expect(masksJson('["4\\u0031111111 11111111"]')).toBe('["411111** ****1111"]');
  });

  it("reads a card that some language printed as a float", () => {
    expect(masksJson("[4111111111111111.0, 4.111111111111111e+15, 0.4111111111111111]")).toBe(
      '["411111******1111.0", "411111******1111", 0.4111111111111111]',
    );
  });

  it("names a value by its sibling label and by the object that wraps it", () => {
    expect(masksJson('[{"name":"cvv","value":"123"},{"name":"qty","value":"123"}]')).toBe(
      '[{"name":"cvv","value":"***"},{"name":"qty","value":"123"}]',
    );
    expect(masksJson('{"cvv":{"value":123},"n":{"value":123}}')).toBe(
      '{"cvv":{"value":"***"},"n":{"value":123}}',
    );
  });

  it("is refused with a place and without content where readers could disagree", () => {
    const refusal = (input: string) => {
      try {
        masksJson(input);
      } catch (error) {
        if (error instanceof JsonRefused) return [error.code, error.offset, error.message.includes("4111")];
      }
      return "accepted";
    };
    expect(refusal('{"a":1,"\\u0061":"4111111111111111"}')).toEqual(["duplicate_key", 7, false]);
    expect(refusal('{"a":1} 4111')).toEqual(["trailing_data", 8, false]);
    expect(refusal("[01]")).toEqual(["malformed_json", 2, false]);
    expect(refusal('["4111')).toEqual(["malformed_json", 6, false]);
    expect(refusal("[".repeat(129))).toEqual(["too_deep", 128, false]);
    expect(refusal("[".repeat(128) + "]".repeat(128))).toBe("accepted");
  });
});

describe("text", () => {
  it.each([
    ["4111 1111 1111 1111", "4111 11** **** 1111"],
    ["4111\u00a01111\u00a01111\u00a01111", "4111\u00a011**\u00a0****\u00a01111"],
    ["4111–1111–1111–1111", "4111–11**–****–1111"],
    ["4111.1111.1111.1111", "4111.11**.****.1111"],
    ["4111/1111/1111/1111", "4111/11**/****/1111"],
    ["4111  1111  1111  1111", "4111  11**  ****  1111"],
    ["4\u0000111\u00071111\u007f1111\u009f1111", "4\u0000111\u000711**\u007f****\u009f1111"],
    ["4111\u200b1111\u200b1111\u200b1111", "4111\u200b11**\u200b****\u200b1111"],
    ["٤١١١١١١١١١١١١١١١", "٤١١١١١******١١١١"],
    ["4111%201111%201111%201111", "4111%2011**%20****%201111"],
    ["4111&nbsp;1111&nbsp;1111&nbsp;1111", "4111&nbsp;11**&nbsp;****&nbsp;1111"],
    ["&#52;111111111111111", "&#52;11111******1111"],
    ["411111&#49;111111111", "411111&#42;*****1111"],
    ["id_4111111111111111x", "id_411111******1111x"],
    ["3782 822463 10005", "3782 82**** *0005"],
  ])("masks %s", (input, masked) => {
    expect(masksText(input)).toBe(masked);
  });

  it.each(["4111\n1111\n1111\n1111\n1111", "411\t1111\t1111\t11111"])(
    "does not join over lines and tabs what is not cut as cards are: %j",
    (input) => {
      expect(masksText(input)).toBe(input);
    },
  );

  it("replaces a whole track, sentinels and all", () => {
    expect(masksText("[%B4111111111111111^DOE/JOHN^27121011234?]")).toMatch(/^\[\*+\]$/);
    expect(masksText("[;4111111111111111=27121011234?]")).toMatch(/^\[\*+\]$/);
  });

  it("finds codes and PINs by the words before them, and by their place after a card", () => {
    expect(masksText("cvv: 123, CVC2=4567 security code is 999; PIN 1234")).toBe(
      "cvv: ***, CVC2=**** security code is ***; PIN ****",
    );
    expect(masksText("4111111111111111|12|27|123")).toBe("411111******1111|12|27|***");
  });

  it("fingerprints with the key, and tells no digits besides first six and last four", () => {
    const { findings } = scanText("4111111111111111", { ...options, fingerprintKey: new Uint8Array(32) });
    expect(findings).toEqual([
      {
        kind: "pan",
        brand: "visa",
        path: "",
        start: 0,
        end: 16,
        rule: "pan.range",
        first6: "411111",
        last4: "1111",
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });
});

describe("lines of JSON", () => {
  it("are searched as JSON each, between lines that are text", () => {
    const input =
      'log of today\n{"card_number":"4111111111111112","cvv":"123"}\n{"cvv":321}\ncvv: 123\n{"cvv":"99';
    expect(masksText(input)).toBe(
      'log of today\n{"card_number":"411111******1112","cvv":"***"}\n{"cvv":"***"}\ncvv: ***\n{"cvv":"99',
    );
  });
});

describe("a card that is split", () => {
  it("over the strings of a list is masked in each of them", () => {
    const result = scanJson(
      '{"parts":["4111","1111","1111","1111"],"ids":["1000","2000","3000","4000"]}',
      options,
    );
    expect(result.masked).toBe('{"parts":["4111","11**","****","1111"],"ids":["1000","2000","3000","4000"]}');
    expect(result.findings.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
      "/parts/0 pan.split",
      "/parts/1 pan.split",
      "/parts/2 pan.split",
      "/parts/3 pan.split",
    ]);
  });

  it("over text blocks is masked in each of them", () => {
    expect(
      masksJson(
        '{"content":[{"type":"text","text":"It is 4111 11"},{"type":"text","text":"11 1111 1111, thanks"}]}',
      ),
    ).toBe(
      '{"content":[{"type":"text","text":"It is 4111 11"},{"type":"text","text":"** **** 1111, thanks"}]}',
    );
  });
});
