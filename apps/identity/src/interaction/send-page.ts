import type { Response } from "express";
import type { Page } from "../pages/page.js";

export function sendPage(response: Response, { status, headers, body }: Page): void {
  response.status(status).set(headers).send(body);
}
