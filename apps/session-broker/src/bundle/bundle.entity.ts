import type { PolicyBundle } from "@countersign/contracts";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";

/** Every bundle that was ever published; the one with the highest number holds. */
@Entity("bundles")
export class BundleRow {
  @PrimaryGeneratedColumn("identity", { type: "bigint", generatedIdentity: "ALWAYS" })
  number!: string;

  @Column("text")
  version!: string;

  @Column("json")
  bundle!: PolicyBundle;
}
