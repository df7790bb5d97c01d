import type { ApprovalView } from "@countersign/contracts";
import { apiTokenOf, callApi, eventually } from "@countersign/local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTopics } from "./read-topics.js";
import { ReplicaStand } from "./replicas/stand.js";

const protocol = "2025-11-25";
/** For three busy proxies to hear what is on the log; nothing that they show tells how far each one is. */
const heardMs = 3_000;

/** A client that goes to the proxy it is told to, as a balancer without affinity may send it. */
describe("a call that waits for an approval, at three proxies", () => {
  const stand = new ReplicaStand();
  let headers: Record<string, string>;
  let lead: string;

  beforeAll(async () => {
    await stand.start();
    const token = await stand.tokenFor("sessions");
    headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": protocol,
    };
    lead = await apiTokenOf("lead", stand.suite.urls.identity);
    const clientInfo = { name: "test", version: "1.0.0" };
    const begun = await post(0, {
      id: 0,
      method: "initialize",
      params: { protocolVersion: protocol, capabilities: {}, clientInfo },
    });
    headers["mcp-session-id"] = begun.headers.get("mcp-session-id") ?? "";
    await begun.text();
    await post(1, { method: "notifications/initialized" });
  });
  afterAll(() => stand.stop());

  const post = (replica: number, message: object, signal?: AbortSignal): Promise<Response> =>
    fetch(`http://127.0.0.1:${stand.replicas[replica]?.port}/mcp/sessions`, {
      method: "POST",
      headers,
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
      signal: signal ?? null,
    });
  const asked = async (replica: number, mark: string, id: number, signal?: AbortSignal): Promise<string> => {
    const params = { name: "approved", arguments: { mark } };
    return (await post(replica, { id, method: "tools/call", params }, signal)).text();
  };
  /** The approvals that were asked for with this mark, whatever became of them. */
  const approvals = async (mark: string): Promise<ApprovalView[]> => {
    const { json } = await callApi(lead, `${stand.suite.urls.approval}/approvals?status=pending`);
    return (json as ApprovalView[]).filter((view) => view.arguments.includes(mark));
  };
  const pending = (mark: string, count = 1): Promise<ApprovalView[]> =>
    eventually(async () => {
      const found = await approvals(mark);
      return found.length >= count ? found : undefined;
    }, `The approval of ${mark}`);
  const approve = async ({ approvalId }: ApprovalView): Promise<void> => {
    const url = `${stand.suite.urls.approval}/approvals/${approvalId}/decision`;
    expect((await callApi(lead, url, { decision: "approve" })).status).toBe(200);
  };
  /** Waits until the proxies know that nobody waits for the hold of this call any more. */
  const left = async (approvalId: string): Promise<void> => {
    await eventually(async () => {
      const events = await readTopics(stand.suite.brokers, ["mcp.holds"]);
      const isLeft = ({ event }: (typeof events)[number]): boolean =>
        event.type === "HoldLeft" && (event.data as { approvalId: string }).approvalId === approvalId;
      return events.some(isLeft) ? true : undefined;
    }, "The leaving of the hold");
    await new Promise((resolve) => setTimeout(resolve, heardMs));
  };
  /** Asks, waits until an approval is asked for, and gives up waiting. */
  const givenUp = async (replica: number, mark: string, id: number): Promise<ApprovalView> => {
    const leaving = new AbortController();
    const first = asked(replica, mark, id, leaving.signal).catch(() => "left");
    const [approval] = (await pending(mark)) as [ApprovalView];
    leaving.abort();
    await first;
    await left(approval.approvalId);
    return approval;
  };

  it("is taken up by the same call at another proxy, and runs once", async () => {
    const approval = await givenUp(0, "h1", 11);
    const again = asked(1, "h1", 12);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await approvals("h1")).toHaveLength(1);
    await approve(approval);
    expect(await again).toContain("h1");
    expect(stand.upstream.delivered.get("h1")).toBe(1);
  });

  it("goes to one of two that take it up at once; the other one has to be approved by itself", async () => {
    await approve(await givenUp(0, "h2", 21));
    const both = [asked(1, "h2", 22), asked(2, "h2", 23)];
    const [second] = (await pending("h2")) as [ApprovalView];
    await Promise.race(both);
    expect(stand.upstream.delivered.get("h2")).toBe(1);
    await approve(second);
    await Promise.all(both);
    expect(stand.upstream.delivered.get("h2")).toBe(2);
  });

  it("is cancelled by way of another proxy, and not made when it is approved nevertheless", async () => {
    const waiting = asked(0, "h3", 31);
    const [approval] = (await pending("h3")) as [ApprovalView];
    await post(2, {
      method: "notifications/cancelled",
      params: { requestId: 31, reason: "changed my mind" },
    });
    expect(await waiting).toContain("stopped waiting");
    const url = `${stand.suite.urls.approval}/approvals/${approval.approvalId}/decision`;
    await callApi(lead, url, { decision: "approve" });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(stand.upstream.delivered.get("h3")).toBeUndefined();
  });

  it("that was approved while its proxy was dead runs when it is asked for again", async () => {
    const lost = asked(0, "h4", 41).catch(() => "lost");
    const [approval] = (await pending("h4")) as [ApprovalView];
    await stand.replicas[0]?.end("SIGKILL");
    expect(await lost).toBe("lost");
    await approve(approval);
    await stand.replicas[0]?.start();
    await left(approval.approvalId);
    expect(await asked(2, "h4", 42)).toContain("h4");
    expect(stand.upstream.delivered.get("h4")).toBe(1);
  });

  it("goes on at another proxy when its own is drained", async () => {
    const stopped = asked(1, "h5", 51);
    const [approval] = (await pending("h5")) as [ApprovalView];
    expect(await stand.replicas[1]?.end("SIGTERM")).toBe(0);
    expect(await stopped).toContain("ask again");
    await left(approval.approvalId);
    const again = asked(2, "h5", 52);
    await approve(approval);
    expect(await again).toContain("h5");
    expect(stand.upstream.delivered.get("h5")).toBe(1);
  });
});
