import { id } from "@countersign/contracts";
import { z } from "zod";
import type { OidcStore } from "./oidc-store.js";

const askedSession = z.object({
  sessionId: id,
  accountId: z.string(),
  justification: z.string(),
  durationSeconds: z.number(),
});
/** The session that a person asked for on a page. */
export type AskedSession = z.infer<typeof askedSession>;

/** As long as the page can be there, with the longest wait. */
const keptSeconds = 2 * 3_600;

/**
 * What was asked for on which page, so that whoever closes it finds it again, at whichever replica. Whether it was
 * granted is the session broker's to say.
 */
export class AskedSessions {
  constructor(private readonly store: Pick<OidcStore, "find" | "upsert">) {}

  async remember(uid: string, asked: AskedSession): Promise<void> {
    await this.store.upsert(uid, { ...asked }, keptSeconds);
  }

  async find(uid: string, accountId: string): Promise<AskedSession | undefined> {
    const { data } = askedSession.safeParse(await this.store.find(uid));
    return data?.accountId === accountId ? data : undefined;
  }
}
