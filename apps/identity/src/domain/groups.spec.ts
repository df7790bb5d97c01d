import { describe, expect, it } from "vitest";
import { GroupsIncomplete, groupsIn } from "./groups.js";

describe("groups", () => {
  it.each([
    ["nothing", {}],
    ["null", { groups: null }],
    ["a number", { groups: 7 }],
    ["an object", { groups: { admin: true } }],
    ["a list of other things", { groups: [1, null, "", { name: "administrators" }] }],
    ["another claim", { roles: ["administrators"] }],
  ])("are none where the provider states %s", (_, claims) => {
    expect(groupsIn(claims, "groups")).toEqual([]);
  });

  it.each([
    ["a reference to elsewhere", { _claim_names: { groups: "src1" }, _claim_sources: { src1: {} } }],
    ["that there are more", { hasgroups: true }],
    ["more than can be kept", { groups: Array.from({ length: 1_001 }, (_, i) => `g${i}`) }],
    ["one without end", { groups: ["g".repeat(321)] }],
  ])("are not guessed where the provider states %s", (_, claims) => {
    expect(() => groupsIn(claims, "groups")).toThrow(GroupsIncomplete);
  });

  it.each([
    ["/groups", { _claim_names: { groups: "src1" } }],
    ["/realm_access/roles", { _claim_names: { realm_access: "src1" } }],
    ["/https:~1~1example.com~1groups", { _claim_names: { "https://example.com/groups": "src1" } }],
  ])("are not guessed where the claim that %s lies in is elsewhere", (path, claims) => {
    expect(() => groupsIn(claims, path)).toThrow(GroupsIncomplete);
  });

  it("say nothing about a reference that is for another claim", () => {
    expect(groupsIn({ _claim_names: { address: "src1" } }, "groups")).toEqual([]);
  });

  it.each([
    ["roles", { roles: ["x", "y", "x"] }, ["x", "y"]],
    ["roles", { roles: "single" }, ["single"]],
    ["/realm_access/roles", { realm_access: { roles: ["x"] } }, ["x"]],
    ["/https:~1~1example.com~1groups", { "https://example.com/groups": ["x"] }, ["x"]],
    ["https://example.com/groups", { "https://example.com/groups": ["x"] }, ["x"]],
    ["/realm_access/roles", { realm_access: "roles" }, []],
    ["/__proto__/constructor", {}, []],
  ])("are those of the claim %s", (path, claims, groups) => {
    expect(groupsIn(claims, path)).toEqual(groups);
  });

  it("have the names that the configuration gives them", () => {
    const names = { "8f2c": "payments-engineers", toString: "administrators" };
    expect(groupsIn({ groups: ["8f2c", "others", "valueOf"] }, "groups", names)).toEqual([
      "payments-engineers",
      "others",
      "valueOf",
    ]);
  });
});
