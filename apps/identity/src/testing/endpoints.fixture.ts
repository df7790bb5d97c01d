import type { Endpoint } from "@countersign/contracts";

const session = { durationSecondsMax: 3_600, durationSecondsDefault: 1_800, idleSeconds: 900 };

const endpointNamed = (name: string, title: string, more: Partial<Endpoint["session"]>): Endpoint => ({
  name,
  title,
  upstream: {
    url: "http://127.0.0.1:1/mcp",
    credential: { type: "none" },
    timeoutSeconds: 10,
    forwardHeaders: [],
  },
  session: { ...session, ...more },
  approval: { expirySeconds: 600 },
  messageBytesMax: 1_000_000,
});

export const payments = endpointNamed("payments", "Payments <test>", {});
export const ledger = endpointNamed("ledger", "Ledger", { justificationPattern: "\\bINC-\\d+\\b" });
