import { text } from "node:stream/consumers";
import type { Configuration, KoaContextWithOIDC } from "oidc-provider";
import { nameToShow } from "../domain/client-metadata.js";
import { scopeWithDefaults } from "../domain/audience.js";
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from "../pages/device-pages.js";
import { Markup } from "../pages/html.js";
import type { Page } from "../pages/page.js";

type DeviceFlow = NonNullable<NonNullable<Configuration["features"]>["deviceFlow"]>;

/** A person has to find a browser and log in meanwhile. */
export const deviceCodeSeconds = 10 * 60;
const bodyBytesMax = 8 * 1024;

/** For machines without a browser (RFC 8628): they show a code, which a person enters on another one. */
export const deviceFlow = (send: (ctx: KoaContextWithOIDC, page: Page) => void): DeviceFlow => ({
  enabled: true,
  mask: "****-****",
  // Where the request came from, for the person to compare with the machine in front of them.
  deviceInfo: (ctx) => ({ ip: ctx.ip }),
  userCodeInputSource: (ctx, form, _out, error) => {
    send(ctx, deviceCodePage(withoutHandlers(form), error !== undefined));
  },
  userCodeConfirmSource: (ctx, form, client, info, userCode) => {
    const { ip } = info as { ip?: string };
    const clientName = nameToShow(client.clientId, client.clientName);
    send(ctx, deviceConfirmPage({ form: withoutHandlers(form), clientName, userCode, from: ip }));
  },
  successSource: (ctx) => {
    const { client } = ctx.oidc;
    send(ctx, deviceDonePage(client ? nameToShow(client.clientId, client.clientName) : ""));
  },
});

/** The library's form, without the scripts in it that our policy would stop anyway. */
const withoutHandlers = (form: string): Markup => new Markup(form.replace(/ onfocus="[^"]*"/g, ""));

interface WithBody {
  readonly req: NodeJS.ReadableStream & { body?: unknown };
  is(type: string): unknown;
}

/** A device need not name the scope that its audience understands. */
export async function addScopeToBody(
  ctx: WithBody & { readonly request: { readonly length?: number } },
): Promise<void> {
  if (!ctx.is("application/x-www-form-urlencoded") || (ctx.request.length ?? Infinity) > bodyBytesMax) return;
  const form = new URLSearchParams(await text(ctx.req));
  form.set("scope", scopeWithDefaults(form.get("scope") ?? undefined));
  const body: Record<string, string | string[]> = {};
  for (const key of new Set(form.keys())) {
    const all = form.getAll(key);
    body[key] = all.length === 1 ? (all[0] ?? "") : all;
  }
  ctx.req.body = body;
}
