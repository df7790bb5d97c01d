import { type HTMLElement, parse } from "node-html-parser";
import { CookieJar } from "tough-cookie";
import { LaunchError } from "../launch-error.js";

/** A page as a person sees it: where it is and what it says. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly document: HTMLElement;
}

const redirectsMax = 20;

/** Just enough of a browser to log in without one: cookies, redirects and forms. It stops where `callback` is reached. */
export class HeadlessBrowser {
  readonly #cookies = new CookieJar();

  constructor(private readonly callback: string) {}

  /** Opens an address; a redirect to the callback is the last page, and is not fetched. */
  visit(url: string): Promise<Page> {
    return this.#follow(url, { method: "GET" });
  }

  /** Sends the page's form as the button named in `fields` (or the first one) would. */
  submit(page: Page, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const form = page.document.querySelector("form");
    if (!form) throw new LaunchError("no_form", `There is no form on ${page.url} (HTTP ${page.status}).`);
    const body = new URLSearchParams();
    for (const field of form.querySelectorAll("input, textarea, select")) {
      const name = field.getAttribute("name");
      if (name && field.getAttribute("type") !== "submit") body.set(name, valueOf(field));
    }
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return this.#follow(new URL(form.getAttribute("action") ?? "", page.url).href, { method: "POST", body });
  }

  async #follow(start: string, first: { method: string; body?: URLSearchParams }): Promise<Page> {
    let url = start;
    let request: { method: string; body?: URLSearchParams } = first;
    for (let hop = 0; hop < redirectsMax; hop += 1) {
      if (url.startsWith(this.callback)) return { url, status: 302, document: parse("") };
      const response = await fetch(url, {
        ...request,
        redirect: "manual",
        headers: { cookie: await this.#cookies.getCookieString(url), accept: "text/html" },
      });
      for (const cookie of response.headers.getSetCookie()) await this.#cookies.setCookie(cookie, url);
      const document = parse(await response.text());
      const location = response.headers.get("location") ?? refreshIn(document);
      if (!location) return { url, status: response.status, document };
      url = new URL(location, url).href;
      request = { method: "GET" };
    }
    throw new LaunchError("too_many_redirects", `More than ${redirectsMax} redirects from ${start}.`);
  }
}

/** Where a page leads to by itself, at once. */
const refreshIn = (document: HTMLElement): string | undefined =>
  /^0;url=(.+)$/.exec(document.querySelector("meta[http-equiv=refresh]")?.getAttribute("content") ?? "")?.[1];

const valueOf = (field: HTMLElement): string => {
  if (field.tagName === "TEXTAREA") return field.textContent;
  if (field.tagName !== "SELECT") return field.getAttribute("value") ?? "";
  const options = field.querySelectorAll("option");
  const chosen = options.find((option) => option.hasAttribute("selected")) ?? options[0];
  return chosen?.getAttribute("value") ?? "";
};
