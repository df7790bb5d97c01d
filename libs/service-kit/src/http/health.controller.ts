import { Controller, Get, Header, HttpCode, HttpException, HttpStatus } from "@nestjs/common";
import { Health } from "../health.js";
import { Metrics } from "../metrics.js";
import { Public } from "./auth.guard.js";

@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly health: Health,
    private readonly metrics: Metrics,
  ) {}

  /** The process is alive. */
  @Get("healthz")
  @HttpCode(200)
  alive(): { status: "alive" } {
    return { status: "alive" };
  }

  /** The service can do its work: Kafka, PostgreSQL and its view of other services' events. */
  @Get("readyz")
  async ready(): Promise<unknown> {
    const report = await this.health.report();
    if (!report.ready) throw new HttpException(report, HttpStatus.SERVICE_UNAVAILABLE);
    return report;
  }

  @Get("metrics")
  @Header("content-type", "text/plain; version=0.0.4; charset=utf-8")
  exposition(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
