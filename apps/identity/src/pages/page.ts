import { createHash } from "node:crypto";
import { html, Markup } from "./html.js";

/** A page on its way to a browser. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const style = `
:root { color-scheme: light dark; --line: #8a94a0; --quiet: #4a545e; --accent: #0b5cad; --onaccent: #fff; --alarm: #a4161a; }
@media (prefers-color-scheme: dark) { :root { --quiet: #b4bec8; --accent: #7cb7f2; --onaccent: #06233f; --alarm: #ff9d9f; } }
* { box-sizing: border-box; }
body { font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto; padding: 2.5rem 1.25rem; max-width: 36rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
header { font-weight: 600; letter-spacing: .02em; color: var(--quiet); margin-bottom: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1rem; margin: 1.25rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; font-weight: 600; }
label { display: block; font-weight: 600; margin-top: 1.25rem; }
.hint { color: var(--quiet); margin: .15rem 0 .4rem; }
.problem { border-left: .25rem solid var(--alarm); padding: .5rem .75rem; margin: 1.25rem 0; }
textarea, select, input, button, .button { font: inherit; width: 100%; padding: .6rem .7rem; border: 1px solid var(--line);
  border-radius: .4rem; background: Canvas; color: CanvasText; }
textarea { min-height: 6rem; resize: vertical; }
button, .button { display: block; margin-top: 1rem; text-align: center; text-decoration: none; cursor: pointer; }
.primary { background: var(--accent); color: var(--onaccent); border-color: var(--accent); font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { overflow-wrap: anywhere; }
`;
// Whole, since a space beside the style would change its hash.
const styleElement = new Markup(`<style>${style}</style>`);
const styleHash = createHash("sha256").update(style).digest("base64");

/**
 * A whole page. `formTargets` are the origins that sending its form may lead to, beside our own; `onward` is where the
 * page itself leads to at once. `script` is the
 * address here of the one script that it may run; without scripts, the page is loaded again after `refreshSeconds`.
 */
export function page(options: {
  readonly title: string;
  readonly content: Markup;
  readonly status?: number;
  readonly formTargets?: readonly string[];
  readonly onward?: string;
  readonly script?: string;
  readonly refreshSeconds?: number;
  /** Whether something has to be put right: the first thing that a screen reader says. */
  readonly isWrong?: boolean;
}): Page {
  const { title, content, status = 200, formTargets = [], onward, script, refreshSeconds } = options;
  return {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": [
        "default-src 'none'",
        `style-src 'sha256-${styleHash}'`,
        ...(script === undefined ? [] : ["script-src 'self'", "connect-src 'self'"]),
        // A browser also holds the redirects that follow a form to this list.
        `form-action ${["'self'", ...formTargets].join(" ")}`,
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join("; "),
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
    },
    body: html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          ${onward !== undefined && html`<meta http-equiv="refresh" content="0;url=${onward}" />`}
          ${refreshSeconds !== undefined && html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}" /></noscript>`}
          ${script !== undefined && html`<script src="${script}" defer></script>`}
          <title>${options.isWrong && "Error: "}${title} – Countersign</title>
          ${styleElement}
        </head>
        <body>
          <header>Countersign</header>
          <main>
            <h1>${title}</h1>
            ${content}
          </main>
        </body>
      </html> `.text,
  };
}
