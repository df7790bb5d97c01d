import type { Request } from "express";

/** The value of a cookie that the browser sent, or undefined. */
export function cookieOf(request: Request, name: string): string | undefined {
  const found = request.headers.cookie?.split(/; */).find((cookie) => cookie.startsWith(`${name}=`));
  if (found === undefined) return undefined;
  try {
    return decodeURIComponent(found.slice(name.length + 1));
  } catch {
    return undefined;
  }
}
