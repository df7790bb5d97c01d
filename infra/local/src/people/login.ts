import { LaunchError } from "../launch-error.js";
import { HeadlessBrowser, type Page } from "./browser.js";

/** Nothing listens there: the browser below stops when it is sent to it, and the code is in the address. */
export const callbackUrl = "http://127.0.0.1:17654/callback";

const pagesMax = 8;

/**
 * Does what a person does after a client opened the browser: picks their account at the company's identity provider and,
 * where the page asks for one, gives a justification. Answers the authorization code.
 */
export async function logIn(authorizationUrl: URL, account: string, justification: string): Promise<string> {
  const browser = new HeadlessBrowser(callbackUrl);
  let page = await browser.visit(authorizationUrl.href);
  for (let seen = 0; seen < pagesMax && !page.url.startsWith(callbackUrl); seen += 1) {
    const next = page.document.querySelector("a[rel=next]")?.getAttribute("href");
    page = next
      ? await browser.visit(new URL(next, page.url).href)
      : await browser.submit(page, answersTo(page, account, justification));
  }
  const answer = new URL(page.url).searchParams;
  const code = answer.get("code");
  if (code) return code;
  const reason = answer.get("error_description") ?? answer.get("error") ?? textOf(page);
  throw new LaunchError("login_failed", `${account} could not log in: ${reason}`);
}

function answersTo({ document }: Page, account: string, justification: string): Record<string, string> {
  if (document.querySelector("button[name=login]")) return { login: account };
  if (document.querySelector("[name=justification]")) return { justification };
  return {};
}

const textOf = ({ document, status }: Page): string =>
  `HTTP ${status}, ${(document.querySelector("main") ?? document).textContent.replaceAll(/\s+/g, " ").trim().slice(0, 300)}`;
