import type {
  CallOutcome,
  OriginalSealed,
  Payload,
  RefusalReason,
  SessionGranted,
} from "@countersign/contracts";
import { sha256Hex } from "@countersign/evidence";
import type { Clock, Entry } from "@countersign/service-kit";
import type { Era } from "../exchange.js";
import { findingsMax, type Scanned, Scanner } from "./payloads.js";
import type { Draft } from "./recorder.js";
import type { Sealer } from "./seal.js";

type Direction = OriginalSealed["direction"];

/** A payload ready for a record, with the sealed original that has to be durable along with it. */
export interface Kept {
  readonly payload: Payload;
  readonly alongside: readonly Entry[];
  /** Call once `alongside` is durable. */
  readonly stored: () => void;
}

/** The same of a request, with the headers that it goes on with. */
export interface KeptRequest extends Kept {
  readonly headers?: Payload;
}

/** What a request without a message holds. */
const nothingKept: Kept = {
  payload: {
    text: "",
    sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    bytes: 0,
    contentType: "",
    findings: [],
  },
  alongside: [],
  stored: () => undefined,
};

/** Makes the records of one call; each repeats who calls what, so that it can be read on its own. */
export class CallRecords {
  constructor(
    private readonly about: {
      readonly callId: string;
      readonly session: SessionGranted;
      readonly clientAddress: string;
      readonly era: Era;
      readonly method: string;
      readonly target: string | undefined;
    },
    private readonly tools: { readonly scanner: Scanner; readonly sealer: Sealer; readonly clock: Clock },
  ) {}

  get callId(): string {
    return this.about.callId;
  }

  /** Turns a scanned message into what a record keeps of it, sealing the original where something was masked. */
  async keep(scanned: Scanned, direction: Direction, leftOut?: readonly string[]): Promise<Kept> {
    const payload = { ...payloadOf(scanned), ...(leftOut === undefined ? {} : { leftOut: [...leftOut] }) };
    if (scanned.toSeal === undefined) return { payload, alongside: [], stored: () => undefined };
    const { sessionId, endpoint } = this.about.session;
    const { sealed, key } = await this.tools.sealer.seal({
      sessionId,
      endpoint,
      callId: this.callId,
      direction,
      text: scanned.toSeal,
    });
    const original = { id: sealed.originalId, sha256: sealed.sha256 };
    const time = this.tools.clock.now().toISOString();
    const common = { source: "proxy" as const, subject: sessionId, time };
    const wrapped: Entry = {
      topic: "mcp.originals",
      event: { ...common, id: this.tools.clock.newId(), type: "SessionKeyWrapped", data: key.wrapped },
    };
    const original_: Entry = {
      topic: "mcp.originals",
      event: { ...common, id: this.tools.clock.newId(), type: "OriginalSealed", data: sealed },
    };
    return {
      payload: { ...payload, original },
      alongside: key.published ? [original_] : [wrapped, original_],
      stored: () => {
        key.published = true;
      },
    };
  }

  /** The same for a request that goes on with headers. */
  async keepRequest(scanned: Scanned | undefined, headers: Scanned | undefined): Promise<KeptRequest> {
    const kept = scanned ? await this.keep(scanned, "client_to_server") : nothingKept;
    if (!headers) return kept;
    const beside = await this.keep(headers, "client_to_server");
    return {
      payload: kept.payload,
      headers: beside.payload,
      alongside: [...kept.alongside, ...beside.alongside],
      stored: () => {
        kept.stored();
        beside.stored();
      },
    };
  }

  intended(
    { payload: request, headers }: Pick<KeptRequest, "payload" | "headers">,
    decision: { effect: "allow" | "hold"; policies: string[]; bundleVersion: string },
  ): Draft {
    const data = { ...this.#context, request, ...(headers ? { headers } : {}), decision };
    return { type: "CallIntended", subject: this.#subject, data };
  }

  held(approvalId: string, requestDigest: string): Draft {
    return {
      type: "CallHeld",
      subject: this.#subject,
      data: { ...this.#context, approvalId, requestDigest },
    };
  }

  released(approvalId: string, requestDigest: string, approvedBy: string): Draft {
    const data = { ...this.#context, approvalId, requestDigest, approvedBy };
    return { type: "CallReleased", subject: this.#subject, data };
  }

  completed(
    outcome: CallOutcome,
    more: {
      response?: Payload;
      httpStatus?: number;
      latencyMs?: number;
      approvalId?: string;
      detail?: string;
    } = {},
  ): Draft {
    return { type: "CallCompleted", subject: this.#subject, data: { ...this.#context, outcome, ...more } };
  }

  message(
    direction: Direction,
    kind: "notification" | "request" | "response" | "log",
    message: Payload,
    headers?: Payload,
  ): Draft {
    const data = { ...this.#context, direction, kind, message, ...(headers ? { headers } : {}) };
    return { type: "MessageRecorded", subject: this.#subject, data };
  }

  get #subject(): string {
    return this.about.session.sessionId;
  }

  get #context() {
    const { session, callId, clientAddress, era, method, target } = this.about;
    const { groups: _, ...principal } = session.principal;
    return {
      callId,
      sessionId: session.sessionId,
      principal,
      client: session.client,
      endpoint: session.endpoint,
      clientAddress,
      era,
      method: this.tools.scanner.mask(method),
      ...(target === undefined ? {} : { target: this.tools.scanner.mask(target) }),
    };
  }
}

/** What a record keeps of a message; the sealed original comes beside it. */
export const payloadOf = (scanned: Scanned): Payload => ({
  text: scanned.recorded,
  sha256: sha256Hex(scanned.recorded),
  bytes: scanned.bytes,
  contentType: scanned.contentType,
  findings: scanned.findings.slice(0, findingsMax),
});

/** The record of a request that was refused, with as much as was known of it by then. */
export function refused(known: {
  callId: string;
  reason: RefusalReason;
  detail?: string;
  session?: SessionGranted | undefined;
  endpoint?: string | undefined;
  clientAddress?: string | undefined;
  method?: string | undefined;
  target?: string | undefined;
  request?: Payload | undefined;
  policies?: string[] | undefined;
  bundleVersion?: string | undefined;
}): Draft {
  const { session, ...rest } = known;
  const { groups: _, ...principal } = session?.principal ?? { groups: undefined };
  const who = session
    ? {
        sessionId: session.sessionId,
        principal: principal as Omit<SessionGranted["principal"], "groups">,
        client: session.client,
      }
    : {};
  return { type: "CallRefused", subject: session?.sessionId ?? known.callId, data: { ...rest, ...who } };
}
