import { createHmac } from "node:crypto";
import {
  dayOf,
  policyFor,
  scanJson,
  scanText,
  type StreamMemory,
  type StreamMessage,
} from "@countersign/card-data";
import type { CardDataPolicy, Finding, OpaqueHandling, RequestHandling } from "@countersign/contracts";
import { withOpaqueContent } from "./opaque-content.js";
import { withoutRequestState } from "./request-state.js";

/** A message after the search for card data: what may be kept, what may be delivered, what may be sealed. */
export interface Scanned {
  readonly masked: string;
  /** What a record keeps: masked, and without the server's secrets that a client only carries. */
  readonly recorded: string;
  readonly findings: readonly Finding[];
  /** The original without sensitive authentication data; only where something was masked. */
  readonly toSeal?: string;
  readonly bytes: number;
  readonly contentType: string;
}

/** A record lists each finding; past this many it would not fit into the log, and nobody would read it. */
export const findingsMax = 2_000;

/** Scans messages by the policy of the moment. */
export class Scanner {
  constructor(
    private readonly policy: () => CardDataPolicy | undefined,
    private readonly fingerprintKey: Uint8Array,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Throws JsonRefused for what is not strict JSON. */
  json(text: string, contentType = "application/json"): Scanned {
    const scanned = scannedOf(scanJson(text, this.#options()), text, contentType);
    return {
      ...scanned,
      recorded: withoutRequestState(scanned.masked, this.fingerprintKey),
      findings: withOpaqueContent(scanned.masked, scanned.findings),
    };
  }

  /** A message of a stream, masked also where it goes on with a card that messages before it began. */
  follow(scanned: Scanned, memory: StreamMemory, message: () => StreamMessage): Scanned {
    const { masked, findings } = memory.follow(scanned.masked, message, this.#options());
    if (findings.length === 0) return scanned;
    return {
      ...scanned,
      masked,
      recorded: withoutRequestState(masked, this.fingerprintKey),
      findings: [...scanned.findings, ...findings],
      toSeal: scanned.toSeal ?? scanned.masked,
    };
  }

  /** Text has no NUL. Where one stands beside each letter, as in UTF-16, it would hide a number from the search. */
  text(text: string, contentType = "text/plain"): Scanned {
    return scannedOf(scanText(text.replaceAll("\0", ""), this.#options()), text, contentType);
  }

  /**
   * What was sent as JSON and is none. A picture in it cannot be told from its text, so where pictures may not pass, all
   * of it counts as one.
   */
  unparsed(text: string, contentType = "text/plain"): Scanned {
    const scanned = this.text(text, contentType);
    if (this.opaque === "pass" || text === "") return scanned;
    const whole: Finding = {
      kind: "unscanned",
      path: "",
      start: 0,
      end: text.length,
      rule: "unscanned.content",
    };
    return { ...scanned, findings: [...scanned.findings, whole] };
  }

  /** A short text such as a tool name, masked. Half a surrogate pair has no canonical form, so it is replaced. */
  mask(text: string): string {
    return scanText(text.toWellFormed(), this.#options()).masked;
  }

  /** A keyed digest of what a record must not keep: it shows that the same came again, and cannot be searched for. */
  digest(text: string): string {
    return createHmac("sha256", this.fingerprintKey).update("withheld v1\0").update(text).digest("hex");
  }

  /** The scanner of an endpoint, by what holds there at each moment. */
  of(endpoint: string): Scanner {
    const policy = (): CardDataPolicy | undefined => {
      const ofAll = this.policy();
      return ofAll && policyFor(ofAll, endpoint);
    };
    return new Scanner(policy, this.fingerprintKey, this.now);
  }

  /** What becomes of requests with card data. */
  get requests(): RequestHandling {
    return this.#policy.requests;
  }

  /** What becomes of content that cannot be searched. */
  get opaque(): OpaqueHandling {
    return this.#policy.opaque;
  }

  get ready(): boolean {
    return this.policy() !== undefined;
  }

  /** Whether the policy speaks of an endpoint; one that is new is published by itself and may come before that. */
  knows(endpoint: string): boolean {
    return Object.hasOwn(this.policy()?.endpoints ?? {}, endpoint);
  }

  #options(): { policy: CardDataPolicy; fingerprintKey: Uint8Array; today: string } {
    // Shapes that policy allows have an end, so the search has to know the day.
    return { policy: this.#policy, fingerprintKey: this.fingerprintKey, today: dayOf(this.now()) };
  }

  get #policy(): CardDataPolicy {
    const policy = this.policy();
    if (!policy) throw new TypeError("no card-data policy yet; readiness guards this");
    return policy;
  }
}

const scannedOf = (result: ReturnType<typeof scanJson>, text: string, contentType: string): Scanned => ({
  masked: result.masked,
  recorded: result.masked,
  findings: result.findings,
  ...(result.changed ? { toSeal: result.withoutSad } : {}),
  bytes: Buffer.byteLength(text),
  contentType,
});
