import { CountersignError, type RefusalReason } from "@countersign/contracts";

/** JSON-RPC error codes: the standard's own, and one of ours for everything the gateway refuses. */
export const rpcCodes = { parse: -32700, invalidRequest: -32600, internal: -32603, refused: -32001 } as const;

/**
 * A request that goes no further. 401 and 403 are for tokens and origins alone, because clients answer them with a new
 * login; whatever policy refuses is HTTP 200 with a JSON-RPC error.
 */
export class Refusal extends CountersignError {
  readonly reason: RefusalReason;
  readonly httpStatus: number;
  readonly rpcCode: number;
  readonly policies: readonly string[];

  constructor(
    reason: RefusalReason,
    message: string,
    options: { httpStatus?: number; rpcCode?: number; policies?: readonly string[]; cause?: unknown } = {},
  ) {
    super(reason, message, { cause: options.cause });
    this.reason = reason;
    this.httpStatus = options.httpStatus ?? 200;
    this.rpcCode = options.rpcCode ?? rpcCodes.refused;
    this.policies = options.policies ?? [];
  }
}
