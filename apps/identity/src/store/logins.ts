import { authentication, principal } from "@countersign/contracts";
import type { DataSource } from "typeorm";
import { z } from "zod";
import { OidcStore } from "./oidc-store.js";

const login = z.object({ principal, authentication });
/** A login, as the identity provider vouched for it at that moment. */
export type Login = z.infer<typeof login>;

/** A login is of use for as long as its login session, and a moment longer for the code that it ended in. */
const keptSeconds = 2 * 3_600;

/**
 * What is known of each login, found by who and when, to the second. Another login of the same person, in another
 * browser or with other groups, is another login.
 */
export class Logins {
  readonly #store: OidcStore;

  constructor(dataSource: DataSource) {
    this.#store = new OidcStore(dataSource, "Login");
  }

  async remember(entry: Login, at: number): Promise<void> {
    await this.#store.upsert(keyOf(entry.principal.id, at), { login: entry }, keptSeconds);
  }

  async find(principalId: string, at: number): Promise<Login | undefined> {
    const row = await this.#store.find(keyOf(principalId, at));
    return row && login.parse(row["login"]);
  }
}

const keyOf = (principalId: string, at: number): string => `${at} ${principalId}`;
