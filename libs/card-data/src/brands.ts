/** Version of the table below; it changes whenever a range, a length or a brand does. */
export const BRAND_TABLE_VERSION = "2026-11-22";

/**
 * `ranges` are prefixes, or `from-to` pairs of prefixes of equal length. `weak` marks pairs of range and length that
 * everyday numbers share (13 digits that begin with 4 are also German articles and phone numbers): a word such as
 * "ean" or "phone" right before the number then outweighs the range.
 */
interface BrandRow {
  brand: string;
  ranges: string;
  lengths: readonly number[];
  weak?: boolean;
}

const upTo19 = [16, 17, 18, 19] as const;

/** Specific issuers first: the first row whose range and length fit names the brand. */
const BRANDS: readonly BrandRow[] = [
  {
    brand: "elo",
    ranges:
      "401178-401179 431274 438935 451416 457393 457631-457632 504175 506699-506778 509000-509999 627780 636297 " +
      "636368 650031-650033 650035-650051 650405-650439 650485-650538 650541-650598 650700-650718 650720-650727 " +
      "650901-650978 651652-651679 655000-655019 655021-655058",
    lengths: [16],
  },
  {
    brand: "hipercard",
    ranges: "384100 384140 384160 606282 637095 637568 637599 637609 637612",
    lengths: [16, 19],
  },
  { brand: "verve", ranges: "506099-506198 507865-507964 650002-650027", lengths: [16, 18, 19] },
  { brand: "meeza", ranges: "507803 507808-507811", lengths: [16] },
  { brand: "mada", ranges: "588845 968201-968211", lengths: [16] },
  { brand: "dankort", ranges: "5019", lengths: [16] },
  { brand: "uzcard", ranges: "8600 561468", lengths: [16] },
  { brand: "humo", ranges: "9860", lengths: [16] },
  { brand: "napas", ranges: "9704", lengths: [16, 19] },
  { brand: "troy", ranges: "9792", lengths: [16] },
  { brand: "mir", ranges: "2200-2204", lengths: upTo19 },
  { brand: "borica", ranges: "2205", lengths: [16] },
  { brand: "belkart", ranges: "9112", lengths: [16] },
  { brand: "arca", ranges: "9051", lengths: [16] },
  { brand: "gpn", ranges: "1946", lengths: [16] },
  {
    brand: "shetab",
    ranges: "502229 502806 502908 505785 585983 589210 589463 603769-603770 603799 610433 627353 991975",
    lengths: [16],
  },
  { brand: "cabal", ranges: "589657 603522 604201-604219 604300-604400 627170", lengths: [16] },
  { brand: "naranja", ranges: "589562", lengths: [16] },
  {
    brand: "carnet",
    ranges: "286900 502275 506199-506299 604622-604624 639388 639484 639559",
    lengths: [16],
  },
  { brand: "bancontact", ranges: "6703 479658 606005", lengths: upTo19 },
  { brand: "instapayment", ranges: "637-639", lengths: [16] },
  { brand: "interpayment", ranges: "636", lengths: upTo19 },

  { brand: "visa", ranges: "4", lengths: [16, 19] },
  { brand: "visa", ranges: "4", lengths: [13], weak: true },
  { brand: "mastercard", ranges: "51-55 2221-2720", lengths: [16] },
  { brand: "amex", ranges: "34 37", lengths: [15] },
  { brand: "discover", ranges: "6011 644-649", lengths: upTo19 },
  { brand: "rupay", ranges: "508 6521-6522", lengths: [16] },
  { brand: "discover", ranges: "65", lengths: upTo19 },
  { brand: "diners", ranges: "300-305 309 36 38-39", lengths: [14, ...upTo19] },
  { brand: "jcb", ranges: "3528-3589", lengths: upTo19 },
  { brand: "jcb", ranges: "1800 2131", lengths: [15] },
  { brand: "rupay", ranges: "81-82 353 356", lengths: [16] },
  { brand: "unionpay", ranges: "62 810-817", lengths: upTo19 },
  { brand: "rupay", ranges: "60", lengths: [16] },
  { brand: "switch", ranges: "564182 633110 6333", lengths: [16, 18, 19] },
  { brand: "solo", ranges: "6334 6767", lengths: [16, 18, 19] },
  { brand: "laser", ranges: "6706 6709 6771", lengths: upTo19 },
  { brand: "maestro", ranges: "50 56-59 63 67", lengths: upTo19 },
  // Below 16 digits only ranges that phone numbers and articles of that length seldom share.
  { brand: "maestro", ranges: "5018 5020 5038 5612 5893 6304 6390 67 0604", lengths: [12, 13, 14, 15] },
  { brand: "maestro", ranges: "50 56 58 63", lengths: [14, 15], weak: true },
  { brand: "uatp", ranges: "1", lengths: [15], weak: true },
];

/** The brands that the table knows, each once. */
export const BRAND_NAMES: readonly string[] = [...new Set(BRANDS.map((row) => row.brand))];

export interface Brand {
  brand: string;
  weak: boolean;
}

interface Range extends Brand {
  low: number;
  high: number;
}

export const PREFIX_DIGITS = 6;

/** One list of ranges over the first six digits for each length, in the order of the table. */
const rangesByLength: readonly (readonly Range[])[] = Array.from({ length: 20 }, (_, length) =>
  BRANDS.filter((row) => row.lengths.includes(length)).flatMap((row) =>
    row.ranges.split(" ").map((range) => {
      const [from = "", to = from] = range.split("-");
      return {
        brand: row.brand,
        weak: row.weak ?? false,
        low: Number(from.padEnd(PREFIX_DIGITS, "0")),
        high: Number(to.padEnd(PREFIX_DIGITS, "9")),
      };
    }),
  ),
);

/** The brand whose range and length fit these ASCII digits. Says nothing about the check digit. */
export function brandOf(digits: string): Brand | undefined {
  return brandOfPrefix(Number(digits.slice(0, PREFIX_DIGITS)), digits.length);
}

/** The same, by the number that the first six digits make. */
export function brandOfPrefix(prefix: number, length: number): Brand | undefined {
  const ranges = rangesByLength[length];
  if (!ranges) return undefined;
  for (const range of ranges) if (prefix >= range.low && prefix <= range.high) return range;
  return undefined;
}

/** For each length and the first two digits, whether any range has them. */
const mayBegin = new Uint8Array(rangesByLength.length * 100);
for (const [length, ranges] of rangesByLength.entries()) {
  for (const { low, high } of ranges) {
    mayBegin.fill(1, 100 * length + Math.floor(low / 10_000), 100 * length + Math.floor(high / 10_000) + 1);
  }
}

/** Whether digits of that length may have a brand, by the number that the first two make. */
export function mayHaveBrand(two: number, length: number): boolean {
  return mayBegin[100 * length + two] === 1;
}

/** The rows as prefixes and lengths, for tests and the recall matrix. */
export function brandExamples(): { brand: string; prefix: string; length: number }[] {
  return BRANDS.flatMap((row) =>
    row.lengths.flatMap((length) =>
      row.ranges
        .split(" ")
        .flatMap((range) => range.split("-"))
        .map((prefix) => ({ brand: row.brand, prefix, length })),
    ),
  );
}
