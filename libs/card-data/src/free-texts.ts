import { brandExamples, BRAND_NAMES } from "./brands.js";
import { writeCard } from "./free-writings.js";
import type { Random } from "./matrix.js";
import { cardNumber, seeded } from "./matrix.js";

/** A text as people write it to each other, with cards in it, and the same text with something else in their place. */
export interface FreeText {
  cards: { digits: string; writing: string; written: string }[];
  text: string;
  without: string;
}

/**
 * `{card}` is a card; the other names are what stands around cards: dates, amounts, phones, references. Templates hold
 * what is typed in chats, tickets, mails and by those who take down what is said on the phone.
 */
const TEMPLATES: readonly string[] = [
  "{card}",
  "Hi, my card is {card}, please refund {amount}.",
  "hey its {name} again.. card no:{card} exp{exp} plz hurry!!",
  "card no:{card}exp{exp}",
  "card#{card} cvv {cvv} exp {exp}",
  "CC {card} {exp} {cvv}",
  "Here you go:\n{card}\nexp {exp}\n{name}",
  "yes\n{card}",
  "sure 👍 {card} 🙏",
  "💳{card}💳",
  'I typed "{card}" but the site says declined on {date}',
  "Order {order}: paid {amount} with {card} on {date}, call me at {phone}",
  "{date} {order} {amount} {card}",
  "Ticket {order}\nCustomer: {name}\nPhone: {phone}\nCard: {card}\nAmount: {amount}\nOpened: {date}",
  "Agent: go ahead.\nCaller: {card}\nAgent: and the expiry?\nCaller: {exp}",
  "okay so the number is {card} um and it expires {exp}",
  "the long number across the front is {card}. security code {cvv}.",
  "I was charged twice ({card}), once {amount} and once {amount}.",
  "please use the one ending in {last4}: {card}",
  "Old card: {card}\nNew card: {card}",
  "not {card} but {card}, sorry for the typo",
  "my cards: {card}; {card}; {card}",
  "{name} | {phone} | {card} | {exp}",
  "On {date}, {name} wrote:\n> my number is {card}\n> thanks\nWe never ask for that.",
  "pls charge{card}today",
  "visa{card} thx",
  "nr.{card}",
  "({card})",
  "[{card}]",
  "*{card}*",
  "acct: {card} / ref {order}",
  "Total {amount}. Paid by {card}. Balance 0.00.",
  "Invoice {order} dated {date} over {amount}: I have given {card} to your colleague, tel {phone}.",
  "Dear Sir or Madam,\n\nplease debit {amount} from my card {card} (valid thru {exp}).\n\nKind regards\n{name}\n{phone}",
  "re: {order} - wrong amount {amount}, should be {amount}. number {card}",
  "crad numbr {card} expiry dat {exp} scurity cod {cvv}",
  "Guten Tag, meine Kartennummer lautet {card}, gültig bis {exp}. Bitte {amount} erstatten.",
  "hab mit {card} bezahlt am {date}, bestellung {order}",
  "Bonjour, ma carte {card} expire le {exp}. Merci de me rappeler au {phone}.",
  "le numéro c'est {card} voilà",
  "Hola, mi tarjeta es {card} y vence {exp}, gracias",
  "pagué {amount} con la {card} el {date}",
  "Olá, o número do meu cartão é {card}, validade {exp}",
  "La mia carta: {card} scade {exp}. Importo {amount}",
  "mijn kaartnummer is {card}, geldig tot {exp}",
  "Mój numer karty {card}, ważna do {exp}",
  "kart numaram {card} son kullanma {exp}",
  "Номер карты {card}, срок {exp}. Позвоните {phone}",
  "カード番号は{card}です。有効期限は{exp}",
  "我的卡号是{card},有效期{exp}",
  "카드번호 {card} 입니다",
  "Mitt kortnummer är {card}, betalade {amount} {date}",
  "رقم البطاقة {card} وشكرا",
  "मेरा कार्ड नंबर {card} है",
];

const NAMES = ["Jane Doe", "J. Müller", "Ana Pérez", "Li Wei", "Олег", "O'Neill"];
const INSTEAD = ["the same as last time", "on file", "see above", "***", "not at hand", "XXXX"];

/** Texts of all templates in turn, with cards of every brand. */
export function* freeTexts(seed: number, count: number): Generator<FreeText> {
  const random = seeded(seed);
  const examples = BRAND_NAMES.map((name) => brandExamples().filter(({ brand }) => brand === name));
  for (let i = 0; i < count; i++) {
    const cards: FreeText["cards"] = [];
    let text = "";
    let without = "";
    for (const part of TEMPLATES[i % TEMPLATES.length]!.split(/(\{\w+\})/)) {
      if (part === "{card}") {
        const { prefix, length } = oneOf(oneOf(examples, random), random);
        const digits = cardNumber(prefix, length, random);
        const card = { digits, ...writeCard(digits, random) };
        cards.push(card);
        text += card.written;
        without += random() < 0.5 ? oneOf(INSTEAD, random) : AROUND["{order}"]!(random);
      } else {
        const value = AROUND[part]?.(random) ?? part;
        text += value;
        without += value;
      }
    }
    yield { cards, text, without };
  }
}

const AROUND: Record<string, (random: Random) => string> = {
  "{name}": (random) => oneOf(NAMES, random),
  "{exp}": (random) => {
    const month = digitsOf(1, random).replace("0", "1").padStart(2, "0");
    const year = String(27 + Math.floor(random() * 5));
    return oneOf(
      [`${month}/${year}`, `${month}/20${year}`, `${month}-${year}`, `${month} / ${year}`],
      random,
    );
  },
  "{cvv}": (random) => digitsOf(3, random),
  "{last4}": (random) => digitsOf(4, random),
  "{amount}": (random) => {
    const whole = String(1 + Math.floor(random() * 4000));
    const cents = digitsOf(2, random);
    return oneOf([`$${whole}.${cents}`, `${whole},${cents} €`, `EUR ${whole}`, `${whole}.${cents}`], random);
  },
  "{date}": (random) => {
    const day = String(1 + Math.floor(random() * 28)).padStart(2, "0");
    const month = String(1 + Math.floor(random() * 12)).padStart(2, "0");
    return oneOf(
      [`2026-${month}-${day}`, `${day}.${month}.2026`, `${month}/${day}/26`, `${day} Nov 2026 14:05`],
      random,
    );
  },
  "{phone}": (random) =>
    oneOf(
      [
        `+49 30 ${digitsOf(8, random)}`,
        `+1 (${digitsOf(3, random)}) ${digitsOf(3, random)}-${digitsOf(4, random)}`,
        `0${digitsOf(3, random)} ${digitsOf(7, random)}`,
        `+44 20 ${digitsOf(4, random)} ${digitsOf(4, random)}`,
        `06 ${digitsOf(2, random)} ${digitsOf(2, random)} ${digitsOf(2, random)} ${digitsOf(2, random)}`,
      ],
      random,
    ),
  "{order}": (random) =>
    oneOf(
      [
        digitsOf(6, random),
        digitsOf(8, random),
        `ORD-2026-${digitsOf(8, random)}`,
        `#${digitsOf(10, random)}`,
      ],
      random,
    ),
};

function oneOf<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)]!;
}

function digitsOf(length: number, random: Random): string {
  return Array.from({ length }, () => String(Math.floor(random() * 10))).join("");
}
