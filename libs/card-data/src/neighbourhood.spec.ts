import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };
const CARD = "4929112233440562";
const SHOWN = "492911******0562";
const kindsOf = (text: string) =>
  scanText(text, options)
    .findings.map(({ kind }) => kind)
    .toSorted();

const CVV_WORDS = [
  "CVV",
  "cvn2",
  "C.V.V.",
  "security code",
  "three digit code",
  "3-digit code",
  "code on the back",
  "Prüfziffer",
  "Kartenprüfnummer",
  "Sicherheitscode",
  "cryptogramme",
  "cryptogramme visuel",
  "code de sécurité",
  "código de seguridad",
  "codigo de verificación",
  "código de segurança",
  "codice di sicurezza",
  "beveiligingscode",
  "säkerhetskod",
  "sikkerhedskode",
  "turvakoodi",
  "kod zabezpieczający",
  "kod bezpieczeństwa",
  "bezpečnostní kód",
  "güvenlik kodu",
  "код безопасности",
  "セキュリティコード",
  "安全码",
  "校验码",
  "보안코드",
];

describe("a code that is named in one of the languages of cardholders", () => {
  it.each(CVV_WORDS)("%s: is hidden in text, with or without its card, and in JSON strings", (word) => {
    expect(scanText(`${CARD}, ${word}: 123`, options).masked).toBe(`${SHOWN}, ${word}: ***`);
    expect(scanText(`so ${word} 123 it is`, options).masked).toBe(`so ${word} *** it is`);
    expect(scanJson(JSON.stringify({ note: `so ${word} 123 it is` }), options).masked).toContain("***");
    expect(scanJson(JSON.stringify({ note: `so\n${word}: 123` }), options).masked).toContain("***");
  });

  it.each([
    ...CVV_WORDS.filter((word) => word !== "C.V.V." && word !== "code on the back"),
    "verification_code",
  ])("%s is the name of a field", (word) => {
    expect(scanJson(JSON.stringify({ [word]: "123" }), options).masked).toBe(
      JSON.stringify({ [word]: "***" }),
    );
  });

  it.each(["PIN", "PIN kodu", "Geheimzahl", "code confidentiel", "NIP", "ПИН-код", "暗証番号"])(
    "%s names a PIN",
    (word) => {
      expect(scanText(`${word}: 4321`, options).masked).toBe(`${word}: ****`);
      expect(scanJson(JSON.stringify({ a: `my ${word}: 4321`, [word]: "4321" }), options).masked).toBe(
        JSON.stringify({ a: `my ${word}: ****`, [word]: "****" }),
      );
    },
  );
});

describe("a field named for card numbers in another language", () => {
  it.each([
    "Kreditkartennummer",
    "numéro de carte",
    "número de tarjeta",
    "número do cartão",
    "numero della carta",
    "kaartnummer",
    "numer karty",
    "kart numarası",
    "kortnummer",
    "номер карты",
    "カード番号",
    "卡号",
    "카드번호",
  ])("%s holds one even if its check digit fails", (name) => {
    expect(scanJson(JSON.stringify({ [name]: "4111111111111112" }), options).findings).toMatchObject([
      { rule: "pan.key" },
    ]);
    expect(kindsOf(`${name}: 7777000000000006`)).toEqual(["pan"]);
  });
});

describe("a code behind a card", () => {
  it.each([
    "12/27 123",
    "12/27, 123.",
    "12|2027|1234",
    "2027-12,123",
    '","12/27","123"',
    "', '12/27', '123')",
    "</td><td>12/27</td>\n      <td>123</td>",
    " 1227 123",
    "(12/27) [123]",
    "12-27-123",
    "exp. 12/2027, 123",
    "expires December 2027, 123",
    "valid thru 12/27, code 123",
    "gültig bis 12/27 / 123",
    "code 123",
    "my code is 123",
    ", sec code 123",
    ",123,12/27",
    "12/27\n123",
    "123 (CVV)",
    "123 is the cvv",
    "cvv (3 digits): 123",
  ])("is hidden in %j", (behind) => {
    const { masked } = scanText(`${CARD} ${behind}`, options);
    expect(masked).toBe(
      `${SHOWN} ${behind.replace(/(?<!\d)1234?(?!\d)/, (code) => "*".repeat(code.length))}`,
    );
    expect(scanText(masked, options).masked).toBe(masked);
  });

  it.each([
    "was charged 123 times",
    "12/27",
    "currency code 978",
    "error code 404",
    "amount 123.45",
    "on 12/27/2026",
    "amount 123, cvv missing",
  ])("is not seen in %j", (behind) => {
    expect(scanText(`${CARD} ${behind}`, options).masked).toBe(`${SHOWN} ${behind}`);
  });
});
