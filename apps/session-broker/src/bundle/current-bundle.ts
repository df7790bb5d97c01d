import { Inject, Injectable } from "@nestjs/common";
import { CountersignError, type PolicyBundle } from "@countersign/contracts";
import { PolicyEngine } from "@countersign/policy";
import { DataSource, type EntityManager } from "typeorm";
import { BundleRow } from "./bundle.entity.js";

export class BundleMissing extends CountersignError {
  constructor() {
    super(
      "bundle_missing",
      "No policies were published yet; see the session broker's log for what is wrong with them.",
    );
  }
}

export interface Held {
  readonly bundle: PolicyBundle;
  readonly engine: PolicyEngine;
}

/** The bundle that holds now. All replicas decide by the last one that any of them published. */
@Injectable()
export class CurrentBundle {
  #cached: (Held & { readonly number: string }) | undefined;

  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  /** Throws `BundleMissing` before the first publication. */
  async read(manager: EntityManager = this.dataSource.manager): Promise<Held> {
    const held = await this.find(manager);
    if (!held) throw new BundleMissing();
    return held;
  }

  async find(manager: EntityManager = this.dataSource.manager): Promise<Held | undefined> {
    const newest = await manager.findOne(BundleRow, {
      select: { number: true },
      where: {},
      order: { number: "DESC" },
    });
    if (!newest) return undefined;
    if (this.#cached?.number !== newest.number) {
      const { bundle } = await manager.findOneByOrFail(BundleRow, { number: newest.number });
      this.#cached = { number: newest.number, bundle, engine: new PolicyEngine(bundle) };
    }
    return this.#cached;
  }
}
