import { describe, expect, it } from "vitest";
import { workloadOf } from "./workload.js";

const issuer = { id: "ci", groupsClaim: "groups", groups: ["ci"], workloads: [] };
const deploy = {
  name: "deploy",
  claims: { repository: "acme/payments", sub: "repo:acme/payments:ref:refs/heads/*" },
  groups: ["payments-ci"],
};
const listed = { ...issuer, workloads: [deploy] };
const claims = { repository: "acme/payments", sub: "repo:acme/payments:ref:refs/heads/main" };

describe("a workload", () => {
  it.each([
    ["another repository", { repository: "evil/payments" }],
    ["a repository that only begins the same", { repository: "acme/payments-fork" }],
    ["no repository", { repository: undefined }],
    ["a branch below", { sub: "repo:acme/payments:ref:refs/heads/main/evil" }],
    ["a pull request", { sub: "repo:acme/payments:pull_request" }],
    ["a line too many", { repository: "acme/payments\n" }],
  ])("is nobody with %s", (_, changes) => {
    expect(workloadOf(listed, { ...claims, ...changes })).toBeUndefined();
  });

  it("is the one that all its claims fit, with that one's groups", () => {
    expect(workloadOf(listed, claims)).toEqual({
      id: "ci:deploy",
      kind: "workload",
      groups: ["ci", "payments-ci"],
    });
  });

  it.each([
    ["acme/payments-api", "acme/payments-api", "acme/payments_api"],
    [
      "system:serviceaccount:ci-jobs:*",
      "system:serviceaccount:ci-jobs:deploy-bot",
      "system:serviceaccount:ci:x",
    ],
    ["a.b+c(d)[e]{f}|g^h$i\\j?k", "a.b+c(d)[e]{f}|g^h$i\\j?k", "aXb+c(d)[e]{f}|g^h$i\\j?k"],
  ])(
    "may have any character in its claims, such as %s, and each stands for itself",
    (pattern, same, other) => {
      const written = { ...issuer, workloads: [{ name: "x", claims: { sub: pattern }, groups: [] }] };
      expect(workloadOf(written, { sub: same })?.id).toBe("ci:x");
      expect(workloadOf(written, { sub: other })).toBeUndefined();
    },
  );

  it("is its subject where none are listed, with the groups that its issuer states and always has", () => {
    expect(workloadOf(issuer, { sub: "a", groups: ["x"] })).toEqual({
      id: "ci:a",
      kind: "workload",
      groups: ["x", "ci"],
    });
  });
});
