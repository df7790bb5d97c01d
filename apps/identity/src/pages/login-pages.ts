import { html } from "./html.js";
import { type Page, page } from "./page.js";
import { placeOf } from "./pages.js";

export interface LoginPageOptions {
  readonly uid: string;
  readonly clientName: string;
  /** Absent for a device that shows a code. */
  readonly redirectUri: string | undefined;
  readonly providers: readonly { readonly id: string; readonly title: string }[];
  readonly asksForEmail: boolean;
  /** What was entered, where no provider was found for it, or one was. */
  readonly email: string | undefined;
  /** Says that this page asked. */
  readonly seal: string;
}

/** Asks whether to log in for this client before anybody else is asked, and where the account is. */
export function loginPage(options: LoginPageOptions): Page {
  const { uid, clientName, redirectUri, providers, asksForEmail, email, seal } = options;
  const base = `/interaction/${encodeURIComponent(uid)}`;
  const [first] = providers;
  return page({
    title: `Log in for ${clientName}?`,
    isWrong: asksForEmail && email !== undefined,
    content: html`<dl>
        <dt>Application</dt>
        <dd>${clientName}</dd>
        <dt>Answer goes to</dt>
        <dd>${placeOf(redirectUri)}</dd>
      </dl>
      <p>
        Go on only if you have just started this from that application yourself. If you have not, close this
        page: nothing has happened yet.
      </p>
      ${asksForEmail && emailForm(base, email)}
      ${providers.map(({ id, title }) => html`<a class="button${id === first?.id && " primary"}" rel="next" href="${base}/login/${encodeURIComponent(id)}?seal=${encodeURIComponent(seal)}">Log in with ${title}</a>`)}`,
  });
}

const emailForm = (base: string, email: string | undefined) =>
  html`<form method="post" action="${base}/email">
      <label for="email">Your e-mail address at work</label>
      <p class="hint" id="hint">It finds the place where your account is. Or choose below.</p>
      ${email !== undefined && html`<p class="problem" role="alert" id="problem">No account is known for this address.</p>`}
      <input
        id="email"
        name="email"
        type="email"
        required
        maxlength="320"
        autocomplete="email"
        value="${email}"
        aria-describedby="hint${email !== undefined && " problem"}"
        ${email !== undefined && html`aria-invalid="true" autofocus`}
      />
      <button>Find my account</button>
    </form>
    <p>Or choose:</p>`;
