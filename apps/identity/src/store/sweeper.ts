import { Injectable } from "@nestjs/common";
import { DataSource } from "typeorm";
import { removeExpired } from "./oidc-store.js";

/** Forgets what has expired. */
@Injectable()
export class Sweeper {
  constructor(private readonly dataSource: DataSource) {}

  run(): Promise<void> {
    return removeExpired(this.dataSource);
  }
}
