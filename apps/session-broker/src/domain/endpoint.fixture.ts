import type { Endpoint } from "@countersign/contracts";

/** An endpoint whose sessions and approvals have round bounds. */
export const endpoint: Endpoint = {
  name: "payments",
  title: "Payments",
  upstream: {
    url: "http://127.0.0.1/mcp",
    credential: { type: "none" },
    timeoutSeconds: 60,
    forwardHeaders: [],
  },
  session: { durationSecondsMax: 3600, durationSecondsDefault: 1800, idleSeconds: 900 },
  approval: { expirySeconds: 600 },
  messageBytesMax: 1024,
};
