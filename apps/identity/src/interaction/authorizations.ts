import { Inject, Injectable } from "@nestjs/common";
import { CountersignError } from "@countersign/contracts";
import { Clock, CONFIG } from "@countersign/service-kit";
import type { Request, Response } from "express";
import { errors, type InteractionResults, Provider } from "oidc-provider";
import { z } from "zod";
import type { IdentityConfig } from "../config.js";
import { type Audience, audienceOf, scopeOf } from "../domain/audience.js";
import { nameToShow } from "../domain/client-metadata.js";
import { readSessionForm } from "../domain/session-form.js";
import type { Page } from "../pages/page.js";
import {
  type Asking,
  consentPage,
  deniedPage,
  onwardPage,
  sessionPage,
  undecidedPage,
} from "../pages/pages.js";
import { waitingPage } from "../pages/waiting-page.js";
import { Seals } from "../seals.js";
import { decisionMsMax, SessionRequests } from "../session-requests.js";
import { type AskedSession, AskedSessions } from "../store/asked-sessions.js";
import { type Login, Logins } from "../store/logins.js";
import { EndpointsView } from "../views/endpoints.view.js";
import { type SessionState, SessionsView } from "../views/sessions.view.js";

export class FormRefused extends CountersignError {
  constructor(message: string) {
    super("form_refused", message);
  }
}

const sealed = z.object({ uid: z.string(), accountId: z.string(), sessionId: z.string() });
const formFields = z.object({
  seal: z.string(),
  justification: z.string().optional(),
  duration: z.string().optional(),
});
type Form = z.infer<typeof formFields>;

/** An authorization request that a person who is logged in decides about. */
interface Pending {
  readonly uid: string;
  readonly login: Login;
  readonly client: { readonly id: string; readonly name?: string };
  readonly clientName: string;
  readonly redirectUri: string | undefined;
  readonly audience: Audience;
  readonly scopes: readonly string[];
}

const purpose = "form";
/** A page may be opened at another replica, a moment before that one has heard of the session. */
const newsMsMax = 2_000;

/** What a person is asked before a client gets a code, and what comes of the answer. */
@Injectable()
export class Authorizations {
  constructor(
    private readonly provider: Provider,
    private readonly seals: Seals,
    private readonly logins: Logins,
    private readonly endpoints: EndpointsView,
    private readonly sessions: SessionsView,
    private readonly requests: SessionRequests,
    private readonly asked: AskedSessions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: IdentityConfig,
  ) {}

  /**
   * The page that asks: for an endpoint why and how long, for our own API whether. Where it was answered already, what
   * became of that; `again` asks anew after a refusal.
   */
  async ask(uid: string, again: boolean, request: Request, response: Response): Promise<Page> {
    const pending = await this.#pending(uid, request, response);
    const asked = await this.asked.find(uid, pending.login.principal.id);
    if (!asked) return this.#askAgain(pending);
    const state = await this.sessions.waitFor(asked.sessionId, newsMsMax);
    if (again && (state?.status === "denied" || state?.status === "ended")) return this.#askAgain(pending);
    return this.#answered(pending, asked, state, request, response);
  }

  /** Whether the session that this page waits for is decided, waited for within a bound. */
  async isDecided(uid: string, request: Request, response: Response): Promise<boolean> {
    const pending = await this.#pending(uid, request, response);
    const asked = await this.asked.find(uid, pending.login.principal.id);
    if (!asked) throw new errors.SessionNotFound("nothing was asked for");
    return (await this.sessions.waitForDecision(asked.sessionId, decisionMsMax)) !== undefined;
  }

  /** Asks the broker for the session that the form describes. */
  async openSession(uid: string, body: unknown, request: Request, response: Response): Promise<Page> {
    const pending = await this.#pending(uid, request, response);
    const { form, sessionId } = this.#opened(pending, body);
    const { audience, login, client } = pending;
    if (audience.kind !== "endpoint") throw new FormRefused("This form belongs to another page.");
    const read = readSessionForm(audience.endpoint, form);
    if (!read.valid) return this.#askAgain(pending, { form, problem: read.problem });

    const before = await this.asked.find(uid, login.principal.id);
    const standing = before && this.sessions.find(before.sessionId);
    // Another form of the same page asks nobody else while the first one's request waits.
    if (before && standing?.status === "waiting")
      return this.#answered(pending, before, standing, request, response);
    const { justification, durationSeconds } = read;
    const asked = { sessionId, accountId: login.principal.id, justification, durationSeconds };
    await this.asked.remember(uid, asked);
    const state = await this.requests.ask({
      sessionId,
      principal: login.principal,
      authentication: login.authentication,
      client,
      endpoint: audience.endpoint.name,
      justification,
      durationSeconds,
      canWait: true,
      ...(request.ip === undefined ? {} : { clientAddress: request.ip }),
    });
    return this.#answered(pending, asked, state, request, response);
  }

  /** What the broker said of the session that was asked for, which is nothing at first. */
  async #answered(
    pending: Pending,
    { sessionId, justification, durationSeconds }: AskedSession,
    state: SessionState | undefined,
    request: Request,
    response: Response,
  ): Promise<Page> {
    const { audience, login } = pending;
    if (audience.kind !== "endpoint") throw new FormRefused("This form belongs to another page.");
    const asking = this.#asking(pending, sessionId);
    if (state === undefined)
      return undecidedPage({ ...asking, justification, duration: String(durationSeconds) });
    switch (state.status) {
      case "denied":
        return deniedPage({ ...asking, reason: state.reason });
      case "ended":
        return deniedPage({ ...asking, reason: "The session has ended already." });
      case "waiting": {
        const { endpoint } = audience;
        return waitingPage({ ...asking, endpoint, justification, durationSeconds, until: state.waitsUntil });
      }
      case "active": {
        if (state.principalId !== login.principal.id || state.endpoint !== audience.endpoint.name)
          throw new FormRefused("This session belongs to somebody else.");
        const grantId = await this.#grant(pending, sessionId, state.expiresAt);
        return this.#finish(pending, request, response, { consent: { grantId } });
      }
    }
  }

  /** Lets the client use our own API in the person's name. */
  async consent(uid: string, body: unknown, request: Request, response: Response): Promise<Page> {
    const pending = await this.#pending(uid, request, response);
    this.#opened(pending, body);
    if (pending.audience.kind !== "api") throw new FormRefused("This form belongs to another page.");
    const grantId = await this.#grant(pending);
    return this.#finish(pending, request, response, { consent: { grantId } });
  }

  async cancel(uid: string, body: unknown, request: Request, response: Response): Promise<Page> {
    const pending = await this.#pending(uid, request, response);
    this.#opened(pending, body);
    const asked = await this.asked.find(uid, pending.login.principal.id);
    const status = asked && this.sessions.find(asked.sessionId)?.status;
    // What is undecided here may just have been approved, or be no news yet at this replica; the broker knows.
    if (asked && status !== "denied" && status !== "ended")
      await this.requests.revoke(asked.sessionId, "The person cancelled the request.", "person");
    return this.#finish(pending, request, response, {
      error: "access_denied",
      error_description: "the person cancelled",
    });
  }

  async #finish(
    { clientName, redirectUri }: Pending,
    request: Request,
    response: Response,
    result: InteractionResults,
  ): Promise<Page> {
    const onward = await this.provider.interactionResult(request, response, result);
    return onwardPage(clientName, onward, redirectUri);
  }

  #askAgain(pending: Pending, refused?: { readonly form: Form; readonly problem: string }): Page {
    const asking = this.#asking(pending, this.clock.newId());
    const { principal } = pending.login;
    const person = principal.name ?? principal.email ?? principal.id;
    if (pending.audience.kind === "api") return consentPage({ ...asking, person });
    const { justification = "", duration = "" } = refused?.form ?? {};
    return sessionPage({
      ...asking,
      person,
      endpoint: pending.audience.endpoint,
      tools: this.endpoints.toolsFor(
        pending.audience.endpoint.name,
        principal,
        pending.client,
        this.clock.now(),
      ),
      ...(refused ? { problem: refused.problem, entered: { justification, duration } } : {}),
    });
  }

  #asking({ uid, clientName, redirectUri, login }: Pending, sessionId: string): Asking {
    const seal = this.seals.seal(purpose, { uid, accountId: login.principal.id, sessionId });
    return { uid, clientName, redirectUri, seal };
  }

  /** The form, if it is one that this server made for this person and this request. */
  #opened({ uid, login }: Pending, body: unknown): { form: Form; sessionId: string } {
    const form = formFields.safeParse(body);
    const seal = sealed.safeParse(form.success ? this.seals.open(purpose, form.data.seal) : undefined);
    if (!form.success || !seal.success || seal.data.uid !== uid || seal.data.accountId !== login.principal.id)
      throw new FormRefused("This form was not sent from its own page.");
    return { form: form.data, sessionId: seal.data.sessionId };
  }

  async #grant(
    { login, client, audience, scopes }: Pending,
    sessionId?: string,
    expiresAt?: Date,
  ): Promise<string> {
    const grant = new this.provider.Grant({ accountId: login.principal.id, clientId: client.id });
    // The grant of an endpoint is its session.
    if (sessionId !== undefined) grant.jti = sessionId;
    if (expiresAt !== undefined) grant.exp = Math.floor(expiresAt.getTime() / 1_000);
    grant.addOIDCScope(["openid", "offline_access"].filter((scope) => scopes.includes(scope)));
    grant.addResourceScope(audience.resource, scopeOf[audience.kind]);
    return grant.save();
  }

  async #pending(uid: string, request: Request, response: Response): Promise<Pending> {
    const details = await this.provider.interactionDetails(request, response);
    const { params, session, prompt } = details;
    const asked = askedFor.safeParse(params);
    if (details.uid !== uid || prompt.name !== "consent" || !session || !asked.success)
      throw new errors.SessionNotFound("another interaction");
    const login = await this.#loginOf(session);
    const client = await this.provider.Client.find(asked.data.client_id);
    const audience = audienceOf(asked.data.resource, this.config.GATEWAY_URL, this.endpoints.all());
    if (!login || !client || !audience) throw new errors.SessionNotFound("no longer known");
    const { clientId, clientName } = client;
    return {
      uid,
      login,
      client: { id: clientId, ...(clientName === undefined ? {} : { name: clientName }) },
      clientName: nameToShow(clientId, clientName),
      redirectUri: asked.data.redirect_uri,
      audience,
      scopes: asked.data.scope?.split(" ") ?? [],
    };
  }

  async #loginOf(session: { readonly accountId: string; readonly uid: string }): Promise<Login | undefined> {
    const found = await this.provider.Session.findByUid(session.uid);
    const at = found?.loginTs;
    return at === undefined ? undefined : this.logins.findStanding(session.accountId, at);
  }
}

const askedFor = z.object({
  client_id: z.string(),
  redirect_uri: z.string().optional(),
  resource: z.union([z.string(), z.tuple([z.string()]).transform(([resource]) => resource)]),
  scope: z.string().optional(),
});
