import { Controller, Get, Res } from "@nestjs/common";
import { Public } from "@countersign/service-kit";
import type { Response } from "express";
import { sendPage } from "./interaction/send-page.js";
import { homePage } from "./pages/pages.js";
import { scriptPath, waitingScript } from "./pages/waiting-script.js";

@Public()
@Controller()
export class HomeController {
  @Get()
  home(@Res() response: Response): void {
    sendPage(response, homePage());
  }

  /** What the page that waits for an approval runs. */
  @Get(scriptPath)
  script(@Res() response: Response): void {
    response
      .set({
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
      })
      .send(waitingScript);
  }
}
