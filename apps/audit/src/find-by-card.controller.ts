import { Body, Controller, Header, HttpCode, Inject, Post, UseFilters } from "@nestjs/common";
import { type FindByCardRequest, findByCardRequest, type Principal } from "@countersign/contracts";
import { ApiError, Caller, CONFIG, Shape } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { EvidenceAccess } from "./access/evidence-access.js";
import { UnauthenticatedFilter } from "./access/unauthenticated.filter.js";
import type { AuditConfig } from "./config.js";
import { cardDigitsOf, fingerprintsOf } from "./domain/card-number.js";
import { asShown } from "./masked-views.js";
import { type Page, readPage } from "./records.js";

/** The beginning of a fingerprint tells two questions apart and finds no card. */
const shownCharacters = 8;

/**
 * Every access to one card. The number is made into its keyed fingerprints and goes no further: it is in no answer, no
 * error, no log line and no record.
 */
@Controller("find-by-card")
@UseFilters(UnauthenticatedFilter)
export class FindByCardController {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(EvidenceAccess) private readonly access: EvidenceAccess,
    @Inject(CONFIG) private readonly config: AuditConfig,
  ) {}

  @Post()
  @HttpCode(200)
  @Header("cache-control", "no-store")
  async find(
    @Caller() caller: Principal,
    @Body(new Shape(findByCardRequest)) { pan, justification, after = -1, limit }: FindByCardRequest,
  ): Promise<Page> {
    await this.access.permit(caller, "find-by-card");
    const keys = this.config.FINGERPRINT_KEY_FILE;
    if (!keys) throw keyMissing();
    const digits = cardDigitsOf(pan);
    if (digits === undefined) {
      await this.access.refused("find-by-card", "not_a_card_number", caller);
      throw notACardNumber();
    }
    const cards = fingerprintsOf(digits, keys);
    const { records, ...rest } = await readPage(this.dataSource, { cards }, { after, limit });
    const query = {
      fingerprints: cards.map((card) => card.slice(0, shownCharacters)),
      justification,
      after,
      limit,
    };
    await this.access.reads(caller, "find-by-card", query, records.length);
    return { records: await asShown(this.dataSource, records), ...rest };
  }
}

const keyMissing = (): ApiError =>
  new ApiError(
    501,
    "fingerprint_key_missing",
    "The audit service was not given the proxies' fingerprint key; set FINGERPRINT_KEY_FILE to find records by card.",
  );

const notACardNumber = (): ApiError =>
  new ApiError(
    400,
    "not_a_card_number",
    "The number is no card number: it has 12 to 19 digits, of which the last one checks the others.",
  );
