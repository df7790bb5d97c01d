import type { Admitted, Received } from "../exchange.js";
import type { Gateway } from "../gateway.js";
import { Refusal } from "../refusal.js";
import { checkOrigin } from "./check-origin.js";
import { findSession } from "./find-session.js";
import { verifyToken } from "./verify-token.js";

/** Who calls, and whether they may be here at all: origin, endpoint, token, session, in this order. */
export async function admit(received: Received, gateway: Gateway): Promise<Admitted> {
  checkOrigin(received.headers, gateway.config.ALLOWED_ORIGINS);
  const engine = gateway.policy.engine;
  const endpoint = gateway.policy.endpoint(received.endpointName);
  if (!engine) {
    throw new Refusal("evidence_unavailable", "The gateway is still starting; try again in a moment.", {
      httpStatus: 503,
    });
  }
  if (!endpoint) {
    throw new Refusal("endpoint_unknown", "There is no such endpoint; ask an administrator for its name.", {
      httpStatus: 404,
    });
  }
  if (!gateway.scanner.knows(endpoint.name)) {
    throw new Refusal(
      "evidence_unavailable",
      "What holds for card data at this endpoint is not known yet; try again in a moment.",
      { httpStatus: 503 },
    );
  }
  const claims = await verifyToken(
    received.headers,
    `${gateway.config.GATEWAY_URL}/mcp/${endpoint.name}`,
    gateway.tokens,
  );
  const { session, ended } = await findSession(claims, endpoint, gateway.sessions);
  const scanner = gateway.scanner.of(endpoint.name);
  const toolOf: Admitted["toolOf"] = (name) =>
    gateway.config.PIN_TOOLS ? gateway.tools.find(endpoint.name, scanner.mask(name)) : undefined;
  return { endpoint, engine, session, scanner, ended, toolOf };
}
