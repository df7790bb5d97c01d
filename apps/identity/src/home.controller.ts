import { Controller, Get, Res } from "@nestjs/common";
import { Public } from "@countersign/service-kit";
import type { Response } from "express";
import { sendPage } from "./interaction/send-page.js";
import { homePage } from "./pages/pages.js";

@Public()
@Controller()
export class HomeController {
  @Get()
  home(@Res() response: Response): void {
    sendPage(response, homePage());
  }
}
