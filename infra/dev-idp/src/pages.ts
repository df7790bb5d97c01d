import { accounts } from "./accounts.js";

const escapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);

const page = (title: string, body: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 4rem auto; padding: 0 1rem; color: #1c2024; }
h1 { font-size: 1.4rem; }
.warning { background: #fff3d6; border: 1px solid #e5b94a; border-radius: 6px; padding: .5rem .75rem; }
button { display: block; width: 100%; margin: .5rem 0; padding: .6rem .75rem; text-align: left; font: inherit;
  background: #fff; border: 1px solid #b8bec6; border-radius: 6px; cursor: pointer; }
button:hover, button:focus { border-color: #1c2024; }
small { color: #5a6169; display: block; }
</style>
</head>
<body>
${body}
</body>
</html>
`;

/** Lists every account as a button; a script posts `login=<account>` to the same address. */
export function renderLoginPage(uid: string): string {
  const buttons = accounts.map(
    ({ sub, name, groups }) =>
      `<button name="login" value="${sub}">${escapeHtml(name)}<small>${sub} · ${groups.join(", ")}</small></button>`,
  );
  return page(
    "Log in (development)",
    `<h1>Who are you today?</h1>
<p class="warning"><strong>For development only.</strong> This identity provider asks for no password: anyone who
reaches it is whoever they say they are.</p>
<form method="post" action="/login/${encodeURIComponent(uid)}">
${buttons.join("\n")}
</form>`,
  );
}

export function renderErrorPage(error: string, description: string | undefined): string {
  return page(
    "Login failed (development)",
    `<h1>Login failed</h1>
<p>${escapeHtml(description ?? error)} <small>${escapeHtml(error)}</small></p>
<p>Go back to the application and start again.</p>`,
  );
}
