import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ledger } from "../testing/endpoints.fixture.js";
import { html } from "./html.js";
import { waitingPage } from "./waiting-page.js";
import { durationText, errorPage, onwardPage, placeOf, sessionPage } from "./pages.js";

const evil = `"><script>alert('1')</script>&`;

describe("a page", () => {
  it("shows what others wrote as text, wherever it stands", () => {
    const { body } = sessionPage({
      uid: evil,
      clientName: evil,
      redirectUri: "https://example.com/callback",
      seal: evil,
      endpoint: { ...ledger, title: evil, session: { ...ledger.session, justificationPattern: evil } },
      person: evil,
      tools: { alone: [evil], afterApproval: [evil] },
      problem: evil,
      entered: { justification: evil, duration: "900" },
    });
    expect(body).not.toContain("<script");
    expect(body).not.toContain("alert('");
    expect(body).toContain("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;");
    expect(body).toMatch(/<option value="900" +selected>/);
  });

  it("says in its title and at the field that something is wrong", () => {
    const asking = {
      uid: "u",
      clientName: "Client",
      redirectUri: undefined,
      seal: "s",
      endpoint: ledger,
      person: "Ada",
      tools: { alone: [], afterApproval: [] },
    };
    const first = sessionPage(asking).body;
    expect(first).toMatch(/<title>Access to /);
    expect(first).not.toContain("aria-invalid");
    const again = sessionPage({ ...asking, problem: "Say what you need the access for." }).body;
    expect(again).toMatch(/<title>Error: Access to /);
    expect(again).toMatch(
      /<textarea[^>]*aria-describedby="hint problem"[^>]*aria-invalid="true"[^>]*autofocus/,
    );
  });

  it("tells beside the field what is asked for, in the endpoint's own words where it has any", () => {
    const asking = {
      uid: "u",
      clientName: "Client",
      redirectUri: undefined,
      seal: "s",
      person: "Ada",
      tools: { alone: [], afterApproval: [] },
    };
    expect(sessionPage({ ...asking, endpoint: ledger }).body).toContain("<code>\\bINC-\\d+\\b</code>");
    const session = { ...ledger.session, justificationHint: "Name the incident, such as INC-4711 <b>." };
    const { body } = sessionPage({ ...asking, endpoint: { ...ledger, session } });
    expect(body).toMatch(
      /<p class="hint" id="hint">[^<]*Name the incident, such as INC-4711 &lt;b&gt;\.\s*<\/p>/,
    );
    expect(body).toMatch(/<textarea[^>]*aria-describedby="hint"/);
    expect(body).not.toContain("pattern");
  });

  it("allows its own style and nothing else", () => {
    const { body, headers } = errorPage(400, "message", "code");
    const style = /<style>([\s\S]*?)<\/style>/.exec(body)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers["content-security-policy"]).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    );
    expect(headers["cache-control"]).toBe("no-store");
  });

  it("lets the page that waits run one script of ours and nothing else, and look again without it", () => {
    const { body, headers } = waitingPage({
      uid: evil,
      clientName: evil,
      redirectUri: undefined,
      seal: evil,
      endpoint: { ...ledger, title: evil },
      justification: evil,
      durationSeconds: 900,
      until: new Date("2026-11-22T10:15:00.000Z"),
    });
    expect(headers["content-security-policy"]).toContain(
      "script-src 'self'; connect-src 'self'; form-action",
    );
    expect(body.match(/<script[^>]*>/g)).toEqual(['<script src="/waiting.js" defer>']);
    expect(body).toMatch(/<noscript>\s*<meta http-equiv="refresh" content="15" \/>\s*<\/noscript>/);
    expect(body).toMatch(/role="status"\s+aria-live="polite"/);
    expect(body).toContain('<time datetime="2026-11-22T10:15:00.000Z">10:15 UTC</time>');
    expect(body).toContain("the device that shows the code");
    expect(body).not.toContain("alert('");
  });

  it("leads back to the client by itself, and by a link where that is not followed", () => {
    const { body, headers } = onwardPage("Inspector", '/authorize/u?a=1&b="');
    expect(body).toContain('content="0;url=/authorize/u?a=1&amp;b=&quot;"');
    expect(body).toContain('rel="next" href="/authorize/u?a=1&amp;b=&quot;"');
    expect(headers["content-security-policy"]).toContain("form-action 'self';");
    expect(body).not.toContain("Your browser may ask");
  });

  it("prepares for the browser's question where the way back opens an app", () => {
    const { body, headers } = onwardPage("Cursor", "/authorize/u", "cursor://anysphere.cursor-mcp/callback");
    expect(body).toContain("whether to open an app on this computer that answers to cursor://.");
    expect(headers["content-security-policy"]).toContain("form-action 'self';");
  });

  it.each([
    [undefined, "the device that shows the code"],
    ["http://127.0.0.1:9/callback", "127.0.0.1:9"],
    ["https://vscode.dev/redirect", "vscode.dev"],
    ["cursor://anysphere.cursor-mcp/callback", "an app on this computer that answers to cursor://"],
    ["com.example.app:/callback", "an app on this computer that answers to com.example.app:"],
  ])("says of %s that the answer goes to %s", (redirectUri, place) => {
    expect(placeOf(redirectUri)).toBe(place);
  });
});

describe("markup", () => {
  it("escapes values, keeps markup, and leaves out nothing's place", () => {
    expect(html`<p>${["<", html`<b>${1}</b>`, undefined, false]}</p>`.text).toBe("<p>&lt;<b>1</b></p>");
  });
});

describe("a duration", () => {
  it.each([
    [90, "1 minute 30 seconds"],
    [3_600, "1 hour"],
    [5_400, "1 hour 30 minutes"],
    [86_400, "24 hours"],
  ])("of %d seconds reads %s", (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});
