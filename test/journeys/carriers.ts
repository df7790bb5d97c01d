import { luhnDigitOf } from "./canaries.js";

/** What every card begins with, so that bytes without it need not be searched for each. */
export const commonDigits = "4929117";

/** A card number that nothing else on this machine holds, for each name. */
export class Cards {
  readonly #cards = new Map<string, string>();

  of(name: string): string {
    let card = this.#cards.get(name);
    if (card === undefined) {
      const payload = `${commonDigits}${String(this.#cards.size * 7919).padStart(8, "0")}`;
      this.#cards.set(name, (card = payload + luhnDigitOf(payload)));
    }
    return card;
  }

  get all(): ReadonlyMap<string, string> {
    return this.#cards;
  }
}

export const spaced = (card: string): string => card.replace(/(\d{4})(?=\d)/g, "$1 ");
const each = (card: string, write: (digit: string) => string): string => card.replace(/\d/g, write);
export const percent = (card: string): string => each(card, (digit) => `%3${digit}`);
export const html = (card: string): string => each(card, (digit) => `&#${48 + Number(digit)};`);
export const unicode = (card: string): string => each(card, (digit) => `\\u003${digit}`);
export const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Every way in which a value may carry a card through an answer; the names of the cards begin with `where`. */
export function carried(cards: Cards, where: string): Record<string, unknown> {
  const card = (name: string): string => cards.of(`${where}: ${name}`);
  const csv = `name,card number,cvv\nAda,${card("CSV")},7391\n`;
  return {
    string: card("JSON string"),
    number: Number(card("JSON number")),
    [card("object key")]: 1,
    free: `please charge ${spaced(card("free text"))} today, cvv: 7391`,
    csv,
    json: JSON.stringify({ pan: card("JSON in a string"), cvv: "7391" }),
    escaped: unicode(card("backslash escapes")),
    percent: percent(card("percent escapes")),
    html: html(card("HTML escapes")),
    base64: base64(`the card is ${card("base64")}, thank you`),
    csvInBase64: base64(csv.replace(card("CSV"), card("CSV in base64"))),
    cvv: "7391",
    track1: `%B${card("track 1")}^CANARY/TRACK^29121015432112345678?`,
    track2: `;${card("track 2")}=29121015432112345678?`,
    pin_block: "0412AC89ABCDEF67",
  };
}
