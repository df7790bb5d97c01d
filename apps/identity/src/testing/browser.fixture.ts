/** A browser as far as redirects, cookies and forms go. */
export class Browser {
  readonly #cookies: { name: string; value: string; origin: string; path: string }[] = [];

  /** `clientAddress` is where the client waits for its answer, where that is not at `clientPort`. */
  constructor(private readonly clientAddress?: string) {}

  get(url: string): Promise<Visit> {
    return this.#visit(url, { method: "GET" });
  }

  /** Sends a form; the cookies and redirects are the browser's. */
  post(url: string, form: Record<string, string>): Promise<Visit> {
    return this.#visit(url, { method: "POST", body: new URLSearchParams(form) });
  }

  /** Where an address leads away to, at the last place that is ours to visit. */
  async redirectOf(start: string): Promise<string> {
    let url = new URL(start);
    for (let hop = 0; hop < 20; hop += 1) {
      const response = await fetch(url, { redirect: "manual", headers: { cookie: this.#cookiesFor(url) } });
      this.#keep(url, response);
      await response.arrayBuffer();
      const location = response.headers.get("location");
      if (location === null) throw new Error("no redirect");
      const next = new URL(location, url);
      if (next.host !== url.host) return next.href;
      url = next;
    }
    throw new Error("too many redirects");
  }

  /** What the cookies hold. */
  values(): string[] {
    return this.#cookies.map(({ value }) => value);
  }

  names(): string[] {
    return this.#cookies.map(({ name }) => name);
  }

  /** Follows redirects until a page, or an address that nobody listens at: the client's. */
  async #visit(start: string, init: RequestInit): Promise<Visit> {
    let url = new URL(start);
    let next = init;
    for (let hop = 0; hop < 20; hop += 1) {
      if (url.port === clientPort || (this.clientAddress && url.href.startsWith(this.clientAddress)))
        return { url, status: 0, text: "", headers: new Headers() };
      const response = await fetch(url, {
        ...next,
        redirect: "manual",
        headers: { cookie: this.#cookiesFor(url), accept: "text/html" },
      });
      this.#keep(url, response);
      const location = response.headers.get("location");
      const text = await response.text();
      const onward = location ?? /http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1];
      if (onward === undefined) return { url, status: response.status, text, headers: response.headers };
      url = new URL(onward.replaceAll("&amp;", "&"), url);
      next = { method: "GET" };
    }
    throw new Error("too many redirects");
  }

  #cookiesFor(url: URL): string {
    return this.#cookies
      .filter(({ origin, path }) => origin === url.host && url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  // Real browsers share cookies between the ports of a host; this one does not, which only makes it stricter.
  #keep(url: URL, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /; *path=([^;]+)/i.exec(line)?.[1] ?? "/";
      const same = this.#cookies.findIndex(
        (c) => c.name === name && c.origin === url.host && c.path === path,
      );
      if (same >= 0) this.#cookies.splice(same, 1);
      if (value !== "") this.#cookies.push({ name, value, origin: url.host, path });
    }
  }
}

export interface Visit {
  readonly url: URL;
  /** 0 for the client's own address. */
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** The port of the client's redirect address; nobody listens there. */
export const clientPort = "9";

/** The value of a hidden field in a page. */
export const fieldOf = (page: Visit, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1] ?? "";

/** Where the page's own way on leads to. */
export const linkIn = (page: Visit): string | undefined => {
  const found = /<a [^>]*rel="next" href="([^"]*)"/.exec(page.text)?.[1];
  return found && new URL(found.replaceAll("&amp;", "&"), page.url).href;
};
