import { z } from "zod";
import { durationSeconds } from "./duration.js";
import { interpolate } from "./interpolate.js";

export const duration = (secondsMax: number, why: string) =>
  z.string({ error: "must be a duration such as 30s, 15m or 1h30m" }).transform((text, context) => {
    const seconds = durationSeconds(text);
    if (seconds === undefined) {
      context.addIssue({ code: "custom", message: "must be a duration such as 30s, 15m or 1h30m" });
      return z.NEVER;
    }
    if (seconds > secondsMax)
      context.addIssue({ code: "custom", message: `must be at most ${secondsMax} seconds: ${why}` });
    return seconds;
  });

/** A text that may name environment variables. */
export const text = (env: NodeJS.ProcessEnv) =>
  z
    .string()
    .min(1)
    .transform((given, context) => {
      const { text, missing } = interpolate(given, env);
      for (const name of missing)
        context.addIssue({
          code: "custom",
          message: `the environment variable ${name} is not set`,
          params: { fix: `Set ${name}, or give it a default: \${${name}:-value}.` },
        });
      return missing.length > 0 ? z.NEVER : text;
    });

export const webUrl = (env: NodeJS.ProcessEnv) =>
  text(env).refine(isWebUrl, {
    error: "must be an http or https URL without user name, password and fragment",
    abort: true,
  });

function isWebUrl(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash;
}
