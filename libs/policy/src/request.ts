import type { Authentication, Client, Principal } from "@countersign/contracts";

/** What a tool says about itself (MCP `ToolAnnotations`). A server's word, so use it to forbid more, not to allow more. */
export interface ToolAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** What a call is for: a tool, a resource, a prompt, or any other method that is not plain protocol. */
export type Operation =
  | { readonly kind: "tool"; readonly name: string; readonly annotations?: ToolAnnotations | undefined }
  | { readonly kind: "resource"; readonly uri: string }
  | { readonly kind: "prompt"; readonly name: string }
  | { readonly kind: "method"; readonly name: string };

interface CallRequest {
  readonly principal: Principal;
  readonly endpoint: string;
  readonly operation: Operation;
  /** The parsed `params.arguments` of `tools/call`; of no other operation. */
  readonly arguments?: unknown;
  readonly client: Client;
}

interface SessionRequest {
  readonly principal: Principal;
  readonly endpoint: string;
  readonly client: Client;
  readonly justification: string;
  readonly authentication: Authentication;
  /**
   * How long the session would be in all, within its endpoint's maximum. Where nobody can know it, a policy that looks at
   * the length cannot be evaluated, which allows nothing.
   */
  readonly durationSeconds: number | undefined;
}

/** One question to the policies, named as Cedar's action. */
export type PolicyRequest =
  | (SessionRequest & { readonly action: "openSession" })
  /** Asked after `openSession`: whether it may be opened without a second person. */
  | (SessionRequest & { readonly action: "openSessionUnattended" })
  | (CallRequest & { readonly action: "call" })
  | (CallRequest & { readonly action: "callUnattended" })
  | {
      readonly action: "approve";
      /** The person who wants to decide. */
      readonly principal: Principal;
      readonly endpoint: string;
      readonly tool: string;
      readonly requester: Principal;
      /** The arguments as the approver sees them. */
      readonly arguments?: unknown;
    }
  /** Without an endpoint the question is about the whole gateway. */
  | { readonly action: "reveal"; readonly principal: Principal; readonly endpoint?: string | undefined }
  /** Asked after `reveal`: whether it may be done without a second person. */
  | {
      readonly action: "revealUnattended";
      readonly principal: Principal;
      readonly endpoint?: string | undefined;
    }
  | { readonly action: "search"; readonly principal: Principal; readonly endpoint?: string | undefined }
  | { readonly action: "administer"; readonly principal: Principal };

export interface PolicyDecision {
  readonly allowed: boolean;
  /** Ids of the policies that decided; empty where none applied, which denies. */
  readonly policies: readonly string[];
  /** Why the policies could not be asked or failed. Never holds a value of the request. */
  readonly errors: readonly string[];
}
