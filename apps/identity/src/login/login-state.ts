import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import type { SessionStore, SessionStoreContext } from "passport-openidconnect";
import { z } from "zod";
import type { Seals } from "../seals.js";

const minutesMax = 10;
const purpose = "login";
const path = "/login";

const state = z.object({
  handle: z.string(),
  provider: z.string(),
  interaction: z.string(),
  nonce: z.string().optional(),
  until: z.number(),
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
      store: (request, context, appState, _meta, done) => {
        const handle = randomBytes(24).toString("base64url");
        this.#remember(request.res as Response, {
          handle,
          provider,
          interaction: appState as unknown as string,
          ...(context.nonce === undefined ? {} : { nonce: context.nonce }),
          until: this.now().getTime() + minutesMax * 60_000,
        });
        done(null, handle);
      },
      verify: (request, handle, done) => {
        const found = this.find(request, provider, handle);
        if (!found) return done(null, false, { message: "this browser did not ask for the login" });
        this.#forget(request.res as Response, handle);
        const context: SessionStoreContext = { nonce: found.nonce };
        done(null, context, found.interaction);
      },
    };
  }

  /** The login that this browser began under `handle`. */
  find(request: Request, provider: string, handle: unknown): State | undefined {
    if (typeof handle !== "string" || !/^[\w-]{32}$/.test(handle)) return undefined;
    const parsed = state.safeParse(this.seals.open(purpose, cookieOf(request, nameOf(handle))));
    if (!parsed.success) return undefined;
    const { data } = parsed;
    const current = data.handle === handle && data.provider === provider && data.until > this.now().getTime();
    return current ? data : undefined;
  }

  #remember(response: Response, value: State): void {
    response.cookie(nameOf(value.handle), this.seals.seal(purpose, value), {
      ...this.#options(),
      maxAge: minutesMax * 60_000,
    });
  }

  #forget(response: Response, handle: string): void {
    response.clearCookie(nameOf(handle), this.#options());
  }

  #options() {
    return { path, httpOnly: true, sameSite: "lax" as const, secure: this.secure };
  }
}

const nameOf = (handle: string): string => `countersign_login_${handle}`;

function cookieOf(request: Request, name: string): string | undefined {
  const found = request.headers.cookie?.split(/; */).find((cookie) => cookie.startsWith(`${name}=`));
  return found && decodeURIComponent(found.slice(name.length + 1));
}
