import type { PolicyRequest } from "@countersign/policy";
import { describe, expect, it } from "vitest";
import { csvOf, groupsIn, type KnownPrincipal, reviewAccess } from "./access-review.js";

const now = new Date("2026-11-23T10:00:00Z");
const ada: KnownPrincipal = {
  principal: { id: "company:ada", kind: "human", name: "Ada", groups: ["staff", "payments-engineers"] },
  client: { id: "c" },
  uses: [{ endpoint: "payments", sessions: 2, denied: 1, active: 1, lastAt: "2026-11-22T10:00:00.000Z" }],
};
const left: KnownPrincipal = {
  principal: { id: "company:left", kind: "human", groups: [] },
  client: { id: "c" },
  uses: [{ endpoint: "payments", sessions: 1, denied: 0, active: 0 }],
};
const idle: KnownPrincipal = { ...left, principal: { ...left.principal, id: "company:idle" }, uses: [] };

const decide = (request: PolicyRequest) => {
  const isAsked = request.action === "openSession" || request.action === "openSessionUnattended";
  const allowed =
    isAsked &&
    !(request.action === "openSessionUnattended" && request.principal.groups.includes("contractors")) &&
    request.endpoint === "payments" &&
    request.principal.kind === "human" &&
    request.principal.groups.includes("payments-engineers");
  return { allowed, policies: allowed ? ["payments-open-session"] : [], errors: [] };
};
const review = (...principals: KnownPrincipal[]) =>
  [
    ...reviewAccess({
      decide,
      endpoints: ["payments", "crm"],
      groups: ["payments-engineers", "auditors"],
      principals,
      now,
    }),
  ].flat();

describe("the access review", () => {
  it("says who could reach what, by which policy and group, and what they did", () => {
    expect(review(ada)[0]).toEqual({
      subject: "principal",
      id: "company:ada",
      kind: "human",
      name: "Ada",
      endpoint: "payments",
      permitted: true,
      unattended: true,
      policies: ["payments-open-session"],
      throughGroups: ["payments-engineers"],
      sessions: 2,
      denied: 1,
      active: 1,
      lastAt: "2026-11-22T10:00:00.000Z",
    });
  });

  it("keeps whoever did reach something and may not any more, and leaves out who neither did nor could", () => {
    const lines = review(left, idle).filter(({ subject }) => subject === "principal");
    expect(lines).toMatchObject([{ id: "company:left", permitted: false, policies: [], sessions: 1 }]);
  });

  it("says what each group opens, to whom, though nobody of it was seen yet", () => {
    expect(review()).toMatchObject([
      { subject: "group", id: "payments-engineers", kind: "human", endpoint: "payments", permitted: true },
    ]);
  });

  it("says where a session would begin at once, and where somebody would have to approve it", () => {
    const groups = [...ada.principal.groups, "contractors"];
    const [line] = review({ ...ada, principal: { ...ada.principal, groups } });
    expect(line).toMatchObject({ permitted: true, unattended: false });
    expect(review(left)[0]).toMatchObject({ permitted: false, unattended: false });
  });

  it("asks about the shortest session, which whoever reaches the endpoint at all may have", () => {
    const brief = (request: PolicyRequest) => {
      const { allowed, ...answer } = decide(request);
      return {
        ...answer,
        allowed: allowed && "durationSeconds" in request && request.durationSeconds === 60,
      };
    };
    const lines = reviewAccess({
      decide: brief,
      endpoints: ["payments"],
      groups: ["payments-engineers"],
      principals: [ada],
      now,
    });
    expect([...lines].flat()).toMatchObject([
      { id: "company:ada", permitted: true, unattended: true, throughGroups: ["payments-engineers"] },
      { subject: "group", permitted: true, unattended: true },
    ]);
  });

  it("finds the groups of the policies, but none in their comments", () => {
    const text =
      'permit(principal in Group::"a b", action, resource); // Group::"old"\nforbid(principal in Group::"a b", action, resource);';
    expect(groupsIn([{ file: "a.cedar", text }])).toEqual(["a b"]);
  });

  it("is a table that no spreadsheet takes for formulas", () => {
    const name = '=HYPERLINK("http://evil.example")';
    const table = csvOf(review({ ...ada, principal: { ...ada.principal, name } }), true);
    const [head, line] = table.split("\r\n");
    expect(head).toMatch(/^subject,id,kind,name,email,endpoint,permitted/);
    expect(line).toContain(`"'=HYPERLINK(""http://evil.example"")"`);
    expect(line?.split(",").at(-1)).toBe("1");
  });

  it.each(["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a"])(
    "is no formula either where a name begins as %j does",
    (name) => {
      const table = csvOf(review({ ...ada, principal: { ...ada.principal, name } }), true);
      expect(table).toContain(`'${name}`);
    },
  );

  it("is a table that says where it is not whole", () => {
    expect(csvOf(review(ada), true)).not.toContain("incomplete");
    const lines = csvOf(review(ada), false).trimEnd().split("\r\n");
    expect(lines.at(-1)).toMatch(/^incomplete,/);
    expect(lines.at(-1)?.split(",")).toHaveLength(lines[0]?.split(",").length ?? 0);
  });

  it("asks no more of the policies before each line than a moment takes, whatever groups somebody has", () => {
    let asked = 0;
    const counted = (request: PolicyRequest) => {
      asked += 1;
      return decide(request);
    };
    const groups = ["payments-engineers", ...Array.from({ length: 999 }, (_, i) => `elsewhere-${i}`)];
    const lines = reviewAccess({
      decide: counted,
      endpoints: ["payments"],
      groups: ["payments-engineers"],
      principals: [{ ...ada, principal: { ...ada.principal, groups } }],
      now,
    });
    expect(lines.next().value).toMatchObject([{ throughGroups: ["payments-engineers"] }]);
    expect(asked).toBeLessThan(5);
  });
});
