import type { Endpoint } from "@countersign/contracts";
import { durationsFor, justificationCharactersMax } from "../domain/session-form.js";
import { privateUseScheme } from "../domain/redirect-uri.js";
import type { PermittedTools } from "../domain/permitted-tools.js";
import { html, type Markup } from "./html.js";
import { type Page, page } from "./page.js";

/** What a person decides about: who asks, and where the answer goes. */
export interface Asking {
  readonly uid: string;
  readonly clientName: string;
  /** Absent for a device that shows a code. */
  readonly redirectUri: string | undefined;
  /** Ties the form to this browser, person and interaction. */
  readonly seal: string;
}

export const homePage = (): Page =>
  page({
    title: "Identity",
    content: html`<p>
        This is the authorization server of Countersign. It logs people in at your company's identity provider
        and grants MCP clients time-limited, recorded access to MCP servers.
      </p>
      <p>
        There is nothing to do here by hand: connect an MCP client to an endpoint of the gateway, and it will
        bring you to the right page. <a href="/logout">Log out</a>
      </p>`,
  });

export interface SessionPageOptions extends Asking {
  readonly endpoint: Endpoint;
  readonly person: string;
  readonly tools: PermittedTools;
  readonly problem?: string;
  readonly entered?: { readonly justification: string; readonly duration: string };
}

/** Asks why and for how long. */
export function sessionPage(options: SessionPageOptions): Page {
  const { endpoint, person, problem, entered, tools } = options;
  const { durationSecondsDefault } = endpoint.session;
  const chosen = Number(entered?.duration ?? durationSecondsDefault);
  return page({
    title: `Access to ${endpoint.title}`,
    status: problem === undefined ? 200 : 422,
    isWrong: problem !== undefined,
    content: html`${who(options, [
        ["You are", person],
        ["MCP server", `${endpoint.title} (${endpoint.name})`],
        ...toolTerms(tools),
      ])}
      ${problem !== undefined && html`<p class="problem" role="alert" id="problem">${problem}</p>`}
      <form method="post" action="/interaction/${encodeURIComponent(options.uid)}/session">
        <input type="hidden" name="seal" value="${options.seal}" />
        <label for="justification">What do you need it for?</label>
        <p class="hint" id="hint">
          Kept as evidence with every call. Do not enter card numbers.${askedOf(endpoint.session)}
        </p>
        <textarea
          id="justification"
          name="justification"
          required
          maxlength="${justificationCharactersMax}"
          aria-describedby="hint${problem !== undefined && " problem"}"
          ${problem !== undefined && html`aria-invalid="true"`}
          autofocus
        >
${entered?.justification}</textarea>
        <label for="duration">For how long?</label>
        <select id="duration" name="duration">
          ${durationsFor(endpoint).map((seconds) => html`<option value="${seconds}" ${seconds === chosen && html` selected`}>${durationText(seconds)}</option>`)}
        </select>
        <button class="primary">Start the session</button>
      </form>
      ${cancel(options)}`,
  });
}

const askedOf = ({ justificationPattern: pattern, justificationHint: hint }: Endpoint["session"]) => {
  if (hint !== undefined) return html` ${hint}`;
  return pattern !== undefined && html` It must contain what this pattern describes: <code>${pattern}</code>`;
};

/** Asks whether a client may use Countersign's own API in the person's name. */
export const consentPage = (options: Asking & { readonly person: string }): Page =>
  page({
    title: "Access to Countersign",
    content: html`${who(options, [["You are", options.person]])}
      <p>
        It will see and do in Countersign what you may: sessions, approvals and evidence, for as long as you
        keep it.
      </p>
      <form method="post" action="/interaction/${encodeURIComponent(options.uid)}/consent">
        <input type="hidden" name="seal" value="${options.seal}" />
        <button class="primary">Allow</button>
      </form>
      ${cancel(options)}`,
  });

export const deniedPage = (options: Asking & { readonly reason: string }): Page =>
  page({
    title: "The session was refused",
    status: 403,
    content: html`<p class="problem" role="alert">${options.reason}</p>
      <p>
        If your reason was not clear,
        <a href="/interaction/${encodeURIComponent(options.uid)}?again">state it again</a>. If you should have
        this access, ask an administrator of Countersign.
      </p>
      ${cancel(options)}`,
  });

export const undecidedPage = (
  options: Asking & { readonly justification: string; readonly duration: string },
): Page =>
  page({
    title: "Not decided yet",
    status: 503,
    content: html`<p role="status">Nobody has decided on your request yet.</p>
      <form method="post" action="/interaction/${encodeURIComponent(options.uid)}/session">
        <input type="hidden" name="seal" value="${options.seal}" />
        <input type="hidden" name="justification" value="${options.justification}" />
        <input type="hidden" name="duration" value="${options.duration}" />
        <button class="primary">Look again</button>
      </form>
      ${cancel(options)}`,
  });

/**
 * Leads back to the client. A page and not a redirect, since browsers hold whatever follows the sending of a form to the
 * page's own policy: a client that sends the browser on to a page of its own, or has it open an app, would be stopped.
 */
export function onwardPage(clientName: string, onward: string, redirectUri?: string): Page {
  const opensApp = redirectUri !== undefined && privateUseScheme(redirectUri) !== undefined;
  return page({
    title: "Going back",
    onward,
    content: html`<p role="status">You are on your way back to ${clientName}.</p>
      ${opensApp && html`<p>Your browser may ask whether to open ${placeOf(redirectUri)}. Allow it; then you can close this page.</p>`}
      <a class="button primary" rel="next" href="${onward}">Go on if nothing happens</a>`,
  });
}

export const logoutPage = (form: Markup, formTargets: readonly string[]): Page =>
  page({
    title: "Log out",
    formTargets,
    content: html`<p>This ends your login here, and every session that MCP clients hold in your name.</p>
      ${form}
      <button class="primary" type="submit" form="op.logoutForm" name="logout" value="yes">Log out</button>
      <button type="submit" form="op.logoutForm">Stay logged in</button>`,
  });

export const loggedOutPage = (): Page =>
  page({ title: "Logged out", content: html`<p>You can close this page.</p>` });

export const errorPage = (status: number, message: string, code: string): Page =>
  page({
    title: "This did not work",
    status,
    content: html`<p class="problem" role="alert">${message}</p>
      <p>
        Go back to your MCP client and connect again. If it keeps happening, tell an administrator of
        Countersign this code: <code>${code}</code>
      </p>`,
  });

const toolTerms = ({ alone, afterApproval }: PermittedTools): [string, string][] => [
  ...(alone.length > 0 ? [["May call", alone.join(", ")] as [string, string]] : []),
  ...(afterApproval.length > 0 ? [["After an approval", afterApproval.join(", ")] as [string, string]] : []),
];

export const who = (
  { clientName, redirectUri }: Asking,
  more: readonly (readonly [string, string])[],
): Markup =>
  html`<dl>
    <dt>Application</dt>
    <dd>${clientName}</dd>
    <dt>Answer goes to</dt>
    <dd>${placeOf(redirectUri)}</dd>
    ${more.map(
      ([term, value]) =>
        html`<dt>${term}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;

export const cancel = ({ uid, seal }: Asking): Markup =>
  html`<form method="post" action="/interaction/${encodeURIComponent(uid)}/cancel">
    <input type="hidden" name="seal" value="${seal}" />
    <button>Cancel</button>
  </form>`;

/** Where the answer goes to, in a word that a person can check. A scheme's address says nothing of whose program it is. */
export function placeOf(redirectUri: string | undefined): string {
  if (redirectUri === undefined) return "the device that shows the code";
  const scheme = privateUseScheme(redirectUri);
  if (scheme === undefined) return new URL(redirectUri).host;
  return `an app on this computer that answers to ${scheme}:${redirectUri.startsWith("//", scheme.length + 1) ? "//" : ""}`;
}

/** 5400 as “1 hour 30 minutes”. */
export function durationText(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3_600), "hour"],
    [Math.floor((seconds % 3_600) / 60), "minute"],
    [seconds % 60, "second"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`)
    .join(" ");
}
