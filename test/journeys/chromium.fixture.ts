import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

/** Whether there is a browser to try pages in; says so where there is none. */
export const isChromiumThere = existsSync(executablePath);
if (!isChromiumThere)
  process.stderr.write(
    `Pages are not tried: there is no ${executablePath}; install chromium, or set CHROMIUM_PATH.\n`,
  );

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launchChromium = (): Promise<Browser> => chromium.launch({ executablePath, args: flags });

/** Whatever the browser refused to do on the way. */
export function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico"))
      problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  return problems;
}

/** Acts in a browser that remembers nothing of anybody else. */
export async function inContext<T>(
  browser: Browser,
  options: Parameters<Browser["newContext"]>[0],
  act: (page: Page, context: BrowserContext) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext(options);
  try {
    return await act(await context.newPage(), context);
  } finally {
    await context.close();
  }
}
