import type { Endpoint } from "@countersign/contracts";
import { html } from "./html.js";
import { type Page, page } from "./page.js";
import { type Asking, cancel, durationText, who } from "./pages.js";
import { scriptPath } from "./waiting-script.js";

export interface WaitingPageOptions extends Asking {
  readonly endpoint: Endpoint;
  readonly justification: string;
  readonly durationSeconds: number;
  readonly until: Date;
}

/** Without a script the page looks again by itself, seldom enough to be read to somebody. */
const refreshSeconds = 15;

/** Stays until another person has decided, and then goes on by itself. */
export function waitingPage(options: WaitingPageOptions): Page {
  const { uid, endpoint, justification, durationSeconds, until } = options;
  const address = `/interaction/${encodeURIComponent(uid)}`;
  const time = `${until.toISOString().slice(11, 16)} UTC`;
  return page({
    title: "Waiting for an approval",
    script: scriptPath,
    refreshSeconds,
    content: html`<p
        role="status"
        aria-live="polite"
        id="waiting"
        data-ask="${address}/session"
        data-next="${address}"
      >
        Another person has to approve this session before it begins.
      </p>
      ${who(options, [
        ["MCP server", `${endpoint.title} (${endpoint.name})`],
        ["For", durationText(durationSeconds)],
        ["Reason", justification],
      ])}
      <p>
        Whoever your company lets approve access to ${endpoint.title} can do it, except you. Nobody can any
        more after <time datetime="${until.toISOString()}">${time}</time>.
      </p>
      <p class="hint">
        This page goes on by itself once it is decided. You can close it, and come back to it in this browser.
      </p>
      <a class="button" href="${address}">Check again</a>
      ${cancel(options)}`,
  });
}
