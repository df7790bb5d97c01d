import type { Configuration } from "@countersign/configuration";
import { BUILT_IN_POLICY } from "@countersign/card-data";
import { Metrics } from "@countersign/service-kit";
import { expect, it, vi } from "vitest";
import type { MaskingConfig } from "../config.js";
import { CardDataPolicyInForce } from "./card-data-policy.js";
import { PolicyFiles } from "./policy-files.js";

const load = vi.hoisted(() => vi.fn<() => Promise<Pick<Configuration, "cardData">>>());
const look = vi.hoisted(() => vi.fn<() => Promise<void>>());
vi.mock("node:timers/promises", () => ({ setTimeout: look }));
vi.mock("@countersign/configuration", async (original) => ({
  ...(await original<object>()),
  configurationFingerprint: () => Promise.resolve("changed once"),
  loadConfiguration: load,
}));

it("takes up a change that could not be read at the first look", async () => {
  const inForce = new CardDataPolicyInForce(BUILT_IN_POLICY);
  const log = { error: vi.fn() };
  const config = { COUNTERSIGN_CONFIG: "countersign.yaml" } as MaskingConfig;
  const files = new PolicyFiles(config, inForce, log as never, new Metrics("masking"));
  const { signal } = new AbortController();
  look
    .mockResolvedValueOnce(undefined)
    .mockResolvedValueOnce(undefined)
    .mockRejectedValue(new Error("it looked in vain"));
  load.mockRejectedValueOnce(new Error("too many open files"));
  load.mockResolvedValue({ cardData: { ...BUILT_IN_POLICY, requests: "refuse" } });
  await expect(files.untilChanged(signal)).rejects.toThrow("too many open files");
  await files.untilChanged(signal);
  expect(inForce.policy.requests).toBe("refuse");
});
