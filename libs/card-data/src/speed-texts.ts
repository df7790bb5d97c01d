import type { Random } from "./matrix.js";

/** JSON of about so many units, of the kinds that a gateway sees; none holds card data on purpose. */
export type SpeedText = (units: number, random: Random) => string;

const WORDS = (
  "the quick report of last month shows that most customers were content with how their request had been handled and " +
  "only a few asked for another review before they agreed to close it"
).split(" ");

const word = (random: Random) => WORDS[Math.floor(random() * WORDS.length)]!;
const sentence = (words: number, random: Random) => `${many(words, () => word(random)).join(" ")}.`;
const digits = (count: number, random: Random) =>
  many(count, () => String(Math.floor(random() * 10))).join("");
const hex = (count: number, random: Random) =>
  many(count, () => Math.floor(random() * 16).toString(16)).join("");
const uuid = (random: Random) =>
  `${hex(8, random)}-${hex(4, random)}-4${hex(3, random)}-a${hex(3, random)}-${hex(12, random)}`;

export const SPEED_TEXTS: Readonly<Record<string, SpeedText>> = {
  /** One string, as an MCP tool answers. */
  prose: (units, random) => {
    let text = "";
    while (text.length < units) text += `${sentence(12, random)} `;
    return JSON.stringify({ content: [{ type: "text", text: text.slice(0, units) }] });
  },
  records: (units, random) =>
    list(units, () => ({
      id: Math.floor(random() * 1e6),
      name: `${word(random)} ${word(random)}`,
      email: `${word(random)}@example.com`,
      status: "active",
      created_at: "2026-01-05T10:20:30Z",
      tags: [word(random), word(random)],
      address: { city: word(random), zip: digits(5, random), country: "GB" },
      total: Math.floor(random() * 10_000) / 100,
      verified: true,
      note: null,
    })),
  digits: (units, random) =>
    list(units, () => ({
      id: Number(`1${digits(12, random)}`),
      uuid: uuid(random),
      snowflake: `1${digits(17, random)}`,
      at: 1.7e12 + Math.floor(random() * 1e9),
      date: "2026-11-22T12:00:00.000Z",
      amount: Math.floor(random() * 1e6) / 100,
      quantity: Math.floor(random() * 100),
      phone: `+49 151 ${digits(8, random)}`,
      reference: `ORD-2026-${digits(8, random)}`,
      latitude: random() * 180 - 90,
    })),
  base64: (units, random) => {
    const bytes = Buffer.from(many((units * 3) >> 2, () => Math.floor(random() * 256)));
    return JSON.stringify({
      type: "image",
      mimeType: "image/png",
      data: `iVBORw0KGgo${bytes.toString("base64")}`,
    });
  },
};

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function list(units: number, make: () => unknown): string {
  const items: string[] = [];
  for (let length = 0; length < units;) {
    const item = JSON.stringify(make());
    items.push(item);
    length += item.length + 1;
  }
  return `[${items.join(",")}]`;
}

/** Bits that make detectors look twice, repeated at random: what somebody might send who wants to be slow. */
const HOSTILE =
  '4 41 4111 411111111111111 4111-1111- 1.1. %34 %25 &#52; &nbsp; \\u0034 cvv pin 123 code: 1234 =2712 ^A^ ; , \n {"a": ' +
  '[ ] } " NDEx QUJD AAAA /9j/ iVBORw0KGgo a1b2c3d4 00000000- DE89 ٤ \u200b é card number';

export function hostileText(units: number, random: Random): string {
  const bits = HOSTILE.split(" ");
  const chosen = many(1 + Math.floor(random() * 6), () => bits[Math.floor(random() * bits.length)]!);
  const joint = random() < 0.5 ? "" : " ";
  const turn = Math.floor(random() * 3);
  let text = "";
  while (text.length < units) {
    if (turn === 0) text += chosen.join(joint) + joint;
    else text += chosen[Math.floor(random() * chosen.length)]! + joint;
  }
  return JSON.stringify(turn === 2 ? text.slice(0, units).match(/.{1,40}/gs) : [text.slice(0, units)]);
}
