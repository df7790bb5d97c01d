import { Controller, Get, Header, Inject, Param, Query, UseFilters } from "@nestjs/common";
import type { CheckpointSigned, Principal } from "@countersign/contracts";
import { consistencyProof, inclusionProof } from "@countersign/evidence";
import { ApiError, Caller, Public, Shape } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { z } from "zod";
import { EvidenceAccess } from "./access/evidence-access.js";
import { UnauthenticatedFilter } from "./access/unauthenticated.filter.js";
import { CheckpointKey } from "./checkpoint-key.js";
import { Checkpoints } from "./checkpoints.js";
import { logIndex, recordUnknown } from "./records.controller.js";
import { endpointOfRecord, readRecord } from "./records.js";
import { nodeReader } from "./tree.js";

const consistencyQuery = z.object({ first: logIndex, second: logIndex });

/** What a reader proves the log with, without believing this service. Hashes of proofs are in base64. */
@Controller()
@UseFilters(UnauthenticatedFilter)
export class IntegrityController {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(EvidenceAccess) private readonly access: EvidenceAccess,
    @Inject(Checkpoints) private readonly checkpoints: Checkpoints,
    @Inject(CheckpointKey) private readonly key: CheckpointKey,
  ) {}

  /** That the record is under the newest checkpoint. */
  @Get("records/:logIndex/proof")
  @Header("cache-control", "no-store")
  async proof(@Caller() caller: Principal, @Param("logIndex", new Shape(logIndex)) index: number) {
    await this.access.permit(caller, "proof", await endpointOfRecord(this.dataSource, index));
    const record = await readRecord(this.dataSource, index);
    await this.access.reads(caller, "proof", { logIndex: index }, record ? 1 : 0);
    if (!record) throw recordUnknown();
    const { treeSize, note } = await this.#latest();
    if (index >= treeSize) throw notSignedYet();
    const proof = await inclusionProof(index, treeSize, nodeReader(this.dataSource));
    return {
      logIndex: index,
      leafHash: record.leafHash,
      treeSize,
      proof: proof.map(base64),
      checkpoint: note,
    };
  }

  @Get("checkpoints/latest")
  @Header("cache-control", "no-store")
  async latest(@Caller() caller: Principal): Promise<CheckpointSigned> {
    await this.access.permit(caller, "checkpoint");
    await this.access.reads(caller, "checkpoint", {}, 1);
    return this.#latest();
  }

  /** That the log of `first` records is how the log of `second` records begins. */
  @Get("consistency")
  @Header("cache-control", "no-store")
  async consistency(
    @Caller() caller: Principal,
    @Query(new Shape(consistencyQuery)) { first, second }: z.infer<typeof consistencyQuery>,
  ) {
    await this.access.permit(caller, "proof");
    await this.access.reads(caller, "proof", { first, second }, 1);
    const { treeSize } = await this.#latest();
    if (first < 1 || first > second || second > treeSize) {
      throw new ApiError(
        400,
        "request_invalid",
        `Ask for sizes from 1 to ${treeSize}, the smaller one as \`first\`.`,
      );
    }
    const proof = await consistencyProof(first, second, nodeReader(this.dataSource));
    return { first, second, proof: proof.map(base64) };
  }

  /** Public: the name and public key of the log. */
  @Public()
  @Get("verifier-key")
  verifierKey(): { origin: string; verifierKey: string } {
    const { origin, verifierKey } = this.key;
    return { origin, verifierKey };
  }

  async #latest(): Promise<CheckpointSigned> {
    const latest = await this.checkpoints.latest();
    if (!latest) throw notSignedYet();
    return latest;
  }
}

export const notSignedYet = (): ApiError =>
  new ApiError(409, "not_signed_yet", "No checkpoint covers this yet; try again in a second.");

const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString("base64");
