import fc from "fast-check";
import { expect, it } from "vitest";

import { MAY_LABEL_CODE } from "./code-labels.js";
import { mayLabelCode, maySpeakOfCards } from "./suspect-words.js";
import { speaksOfCards } from "./surroundings.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

fc.configureGlobal({ seed: Number(process.env.SEED ?? 20261122) });

const WORDS = [
  ..."card cards cardholder credit debit cc pan visa maestro amex discover diners jcb rupay cvv cvv2 cvc exp".split(
    " ",
  ),
  ..."expiry valid kort kortnummer kaart kaartnummer kreditkarten karta 카드 信用卡 tarjeta karte carte cartão carta kart kartı карта карту 卡号 银行卡 カード viſa Kart".split(
    " ",
  ),
  ..."12/27 (05/2028 ORD- +49 ref the call name".split(" "),
  ..."master card|american express|union pay|valid thru|security code".split("|"),
];
const words = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: "grapheme", maxLength: 6 })), { maxLength: 8 })
  .chain((parts) => fc.constantFrom("", " ", ", ", "-").map((joint) => parts.join(joint)));

it("sees whatever may speak of cards beside a number, in either case", () => {
  let spoken = 0;
  fc.assert(
    fc.property(words, words, fc.boolean(), (before, after, upper) => {
      const [left, right] = upper ? [before.toUpperCase(), after.toUpperCase()] : [before, after];
      const text = `${left}7777000000000006${right}`;
      if (!speaksOfCards(text, left.length, left.length + 16, [])) return;
      spoken++;
      const source = borrowBytes(text);
      const seen = maySpeakOfCards(source.bytes, left.length, left.length + 16, 0, text.length);
      returnBytes(source);
      expect(seen).toBe(true);
    }),
    { numRuns: 20_000 },
  );
  expect(spoken).toBeGreaterThan(1_000);
});

const LABELS = [
  ..."cvv CVC2 c.v.v. cav2 csc cid code Código Koodi kod kód value number digits pin NIP Prüfziffer Nummer".split(
    " ",
  ),
  ..."Geheimzahl crypto Sécurité secure код ПИН 暗証番号 コード コ-ド 安全码 校验碼 코드 ORD- ref the -".split(
    " ",
  ),
];

it("sees whatever may label a code", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...LABELS), fc.string({ maxLength: 4 })), { maxLength: 4 }),
      fc.constantFrom("", " ", ": "),
      (parts, joint) => {
        const text = parts.join(joint);
        fc.pre(MAY_LABEL_CODE.test(text));
        const source = borrowBytes(text);
        const seen = mayLabelCode(source.bytes, 0, text.length);
        returnBytes(source);
        expect(seen).toBe(true);
      },
    ),
    { numRuns: 20_000 },
  );
});
