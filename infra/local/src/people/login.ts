import { LaunchError } from "../launch-error.js";
import { HeadlessBrowser, type Page } from "./browser.js";

/** Nothing listens there: the browser below stops when it is sent to it, and the code is in the address. */
export const callbackUrl = "http://127.0.0.1:17654/callback";

const pagesMax = 8;
const approvalMsMax = 60_000;
const lookAgainMs = 300;

/**
 * Does what a person does after a client opened the browser: picks their account at the company's identity provider and,
 * where the page asks for one, gives a justification and waits for an approval. Answers the authorization code.
 */
export async function logIn(authorizationUrl: URL, account: string, justification: string): Promise<string> {
  const answer = new URL(await answerOf(authorizationUrl, account, justification)).searchParams;
  const code = answer.get("code");
  if (code) return code;
  const reason = answer.get("error_description") ?? answer.get("error") ?? "no reason given";
  throw new LaunchError("login_failed", `${account} could not log in: ${reason}`);
}

/** The address, with the answer in it, that the person's browser is sent to in the end: the client's own callback. */
export async function answerOf(
  authorizationUrl: URL,
  account: string,
  justification: string,
): Promise<string> {
  const callback = authorizationUrl.searchParams.get("redirect_uri") ?? callbackUrl;
  const browser = new HeadlessBrowser(callback);
  let page = await browser.visit(authorizationUrl.href);
  for (let seen = 0; seen < pagesMax && !page.url.startsWith(callback); seen += 1) {
    page = await afterApproval(browser, page);
    if (page.url.startsWith(callback)) break;
    const next = page.document.querySelector("a[rel=next]")?.getAttribute("href");
    page = next
      ? await browser.visit(new URL(next, page.url).href)
      : await browser.submit(page, answersTo(page, account, justification));
  }
  if (page.url.startsWith(callback)) return page.url;
  throw new LaunchError("login_failed", `${account} could not log in: ${textOf(page)}`);
}

/** The page that follows once somebody else has decided, which this one waits for. */
async function afterApproval(browser: HeadlessBrowser, first: Page): Promise<Page> {
  const deadline = Date.now() + approvalMsMax;
  let page = first;
  for (;;) {
    const next = page.document.querySelector("#waiting")?.getAttribute("data-next");
    if (!next || Date.now() > deadline) return page;
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    page = await browser.visit(new URL(next, page.url).href);
  }
}

function answersTo({ document }: Page, account: string, justification: string): Record<string, string> {
  if (document.querySelector("button[name=login]")) return { login: account };
  if (document.querySelector("[name=justification]")) return { justification };
  return {};
}

const textOf = ({ document, status }: Page): string =>
  `HTTP ${status}, ${(document.querySelector("main") ?? document).textContent.replaceAll(/\s+/g, " ").trim().slice(0, 300)}`;
