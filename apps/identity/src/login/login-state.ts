import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import type { SessionStore, SessionStoreContext } from "passport-openidconnect";
import { z } from "zod";
import { cookieOf } from "../cookies.js";
import type { Seals } from "../seals.js";

const minutesMax = 10;
export const loginSecondsMax = minutesMax * 60;
const purpose = "login";
const path = "/login";

const state = z.object({
  handle: z.string(),
  provider: z.string(),
  interaction: z.string(),
  nonce: z.string().optional(),
  /** How old the person's login at the provider may be, counted from `issued`. */
  maxAge: z.number().optional(),
  issued: z.number(),
});
type State = z.infer<typeof state>;

/**
 * Remembers a login under way in the browser itself, in a signed cookie per attempt: replicas share nothing, several
 * tabs do not disturb each other, and an answer of the identity provider counts only in the browser that asked.
 */
export class LoginStates {
  constructor(
    private readonly seals: Seals,
    private readonly secure: boolean,
    private readonly now: () => Date,
  ) {}

  /** passport-openidconnect's own interface for one provider; `appState` is the interaction that the login is for. */
  storeFor(provider: string): Pick<SessionStore, "store" | "verify"> {
    return {
      store: (request, { nonce, maxAge }, appState, _meta, done) => {
        const interaction = appState as unknown as string;
        done(null, this.begin(request.res as Response, { provider, interaction, nonce, maxAge }));
      },
      verify: (request, handle, done) => {
        const found = this.find(request, provider, handle);
        if (!found) return done(null, false, { message: "this browser did not ask for the login" });
        this.forget(request.res as Response, handle);
        const context = { nonce: found.nonce, maxAge: found.maxAge, issued: new Date(found.issued) };
        // The library reckons with a date, whatever its types say.
        done(null, context as unknown as SessionStoreContext, found.interaction);
      },
    };
  }

  /** Remembers that this browser begins a login, under the handle that it answers. */
  begin(
    response: Response,
    about: {
      readonly provider: string;
      readonly interaction: string;
      readonly nonce?: string | undefined;
      readonly maxAge?: number | undefined;
    },
  ): string {
    const handle = randomBytes(24).toString("base64url");
    const value: State = { ...about, handle, issued: this.now().getTime() };
    response.cookie(nameOf(handle), this.seals.seal(purpose, value), {
      ...this.#options(),
      maxAge: loginSecondsMax * 1_000,
    });
    return handle;
  }

  /** The login that this browser began under `handle`. */
  find(request: Request, provider: string, handle: unknown): State | undefined {
    if (typeof handle !== "string" || !/^[\w-]{32}$/.test(handle)) return undefined;
    const parsed = state.safeParse(this.seals.open(purpose, cookieOf(request, nameOf(handle))));
    if (!parsed.success) return undefined;
    const { data } = parsed;
    const isCurrent = data.issued + loginSecondsMax * 1_000 > this.now().getTime();
    return data.handle === handle && data.provider === provider && isCurrent ? data : undefined;
  }

  forget(response: Response, handle: string): void {
    response.clearCookie(nameOf(handle), this.#options());
  }

  #options() {
    return { path, httpOnly: true, sameSite: "lax" as const, secure: this.secure };
  }
}

const nameOf = (handle: string): string => `countersign_login_${handle}`;
