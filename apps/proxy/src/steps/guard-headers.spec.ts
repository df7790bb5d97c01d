import type { IncomingHttpHeaders } from "node:http";
import { BUILT_IN_POLICY } from "@countersign/card-data";
import type { CardDataPolicy } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { Scanner } from "../evidence/payloads.js";
import type { Admitted, Received } from "../exchange.js";
import { Refusal } from "../refusal.js";
import { upstreamHeaders } from "../upstream/headers.js";
import { guardHeaders } from "./guard-headers.js";

const pan = "4111111111111111";
const shown = "411111******1111";
const listed = ["x-trace", "x-api-key", "x-user-token", "authorization", "cookie"];
const upstream = {
  url: "http://127.0.0.1",
  credential: { type: "none" as const },
  timeoutSeconds: 1,
  forwardHeaders: listed,
};

const guarded = (headers: IncomingHttpHeaders, policy: Partial<CardDataPolicy> = {}) => {
  const scanner = new Scanner(() => ({ ...BUILT_IN_POLICY, ...policy }), Buffer.alloc(32, 1));
  const admitted = { endpoint: { upstream }, scanner } as unknown as Admitted;
  const { received, headers: recorded } = guardHeaders({ headers } as Received, admitted);
  return {
    forwarded: upstreamHeaders(received.headers, upstream, undefined),
    recorded: recorded && (JSON.parse(recorded.recorded) as Record<string, string>),
    sealed: recorded?.toSeal,
    findings: recorded?.findings ?? [],
  };
};

const refusalOf = (headers: IncomingHttpHeaders, policy: Partial<CardDataPolicy>): Refusal => {
  try {
    guarded(headers, policy);
  } catch (error) {
    if (error instanceof Refusal) return error;
  }
  throw new Error("it was not refused");
};

describe("the headers that a request goes on with", () => {
  it("are on record as they go on, and no others are", () => {
    const headers = { accept: "*/*", "last-event-id": "e-7", "mcp-param-city": "Bonn", "x-trace": "t" };
    const { forwarded, recorded } = guarded({ ...headers, "x-other": "no", "mcp-session-id": "s" });
    expect(recorded).toEqual(headers);
    expect(forwarded).toEqual({ ...headers, "accept-encoding": "identity" });
  });

  it("never are a client's own login, even where a list names it", () => {
    const { forwarded, recorded } = guarded({
      authorization: "Bearer a",
      "proxy-authorization": "Basic b",
      cookie: "c=d",
    });
    expect(recorded).toBeUndefined();
    expect(forwarded).toEqual({ "accept-encoding": "identity" });
  });

  it("are on record without the value of what may be a credential, but so that the same one is known again", () => {
    const headers = { "x-api-key": "canary-1", "x-user-token": `canary-2 ${pan}`, "x-trace": pan };
    const { forwarded, recorded, sealed } = guarded(headers);
    expect(forwarded).toMatchObject(headers);
    expect(JSON.stringify([recorded, sealed])).not.toContain("canary");
    expect(recorded?.["x-api-key"]).toMatch(/^\[withheld: hmac-sha256 [0-9a-f]{64}\]$/);
    expect(guarded(headers).recorded).toEqual(recorded);
    expect(guarded({ ...headers, "x-api-key": "canary-3" }).recorded?.["x-api-key"]).not.toBe(
      recorded?.["x-api-key"],
    );
  });

  it("are on record masked and sealed where they go on as they are", () => {
    const { forwarded, recorded, sealed, findings } = guarded({ "last-event-id": `at ${pan}` });
    expect(forwarded["last-event-id"]).toBe(`at ${pan}`);
    expect(recorded).toEqual({ "last-event-id": `at ${shown}` });
    expect(sealed).toContain(pan);
    expect(findings).toMatchObject([{ kind: "pan", path: "/last-event-id" }]);
  });

  it("are on record masked where base64 hides the number", () => {
    const { recorded } = guarded({ "mcp-name": `=?base64?${Buffer.from(pan).toString("base64")}?=` });
    expect(recorded).toEqual({ "mcp-name": shown });
  });

  it("are refused where base64 says what no record could repeat", () => {
    for (const value of ["=?base64?/w==?=", "=?base64?QR==?=", "=?base64?%?="]) {
      expect(refusalOf({ "x-trace": value }, {}).reason).toBe("malformed");
    }
  });

  it("are refused with a card in a value, a name or a credential, where the endpoint takes none", () => {
    for (const headers of [
      { "last-event-id": pan },
      { [`mcp-param-${pan}`]: "x" },
      { "x-api-key": `k ${pan}` },
    ]) {
      const { reason, message } = refusalOf(headers, { requests: "refuse" });
      expect(reason).toBe("card_data");
      expect(message).not.toContain(pan);
    }
    expect(guarded({ "last-event-id": "7" }, { requests: "refuse" }).forwarded["last-event-id"]).toBe("7");
  });

  it("go on masked where the endpoint takes card data masked; a name that holds some does not go on", () => {
    const given = { "x-trace": `t ${pan}`, "x-api-key": `k ${pan}`, [`mcp-param-${pan}`]: "x" };
    const { forwarded, recorded } = guarded(given, { requests: "mask" });
    expect(forwarded).toEqual({
      "x-trace": `t ${shown}`,
      "x-api-key": `k ${shown}`,
      "accept-encoding": "identity",
    });
    expect(JSON.stringify(recorded)).not.toContain(pan);
  });

  it("are refused with content that cannot be searched, where the endpoint takes none", () => {
    const picture = Buffer.alloc(3_000, "\x89PNG\r\n\x1a\n\0\xff", "latin1").toString("base64");
    expect(refusalOf({ "x-trace": picture }, { opaque: "refuse" }).reason).toBe("opaque_content");
    expect(guarded({ "x-trace": picture }).forwarded["x-trace"]).toBe(picture);
  });

  it("are bounded", () => {
    expect(refusalOf({ "x-trace": "x".repeat(40_000) }, {})).toMatchObject({
      reason: "too_large",
      httpStatus: 431,
    });
  });
});
