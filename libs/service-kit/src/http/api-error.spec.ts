import "reflect-metadata";
import { Body, Controller, Get, Module, Post } from "@nestjs/common";
import { APP_FILTER, HttpAdapterHost, NestFactory } from "@nestjs/core";
import type { INestApplication } from "@nestjs/common";
import { apiError, CountersignError, decisionRequest } from "@countersign/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogger } from "../logs.js";
import { ApiError, ApiErrorFilter, Shape } from "./api-error.js";

const canary = "4111111111111111";
const lines: string[] = [];
const log = createLogger("test", "debug", { write: (line) => void lines.push(line) });

@Controller()
class Failing {
  @Post("decide")
  decide(@Body(new Shape(decisionRequest)) body: unknown): unknown {
    return body;
  }
  @Get("foreign")
  foreign(): never {
    throw new Error(`value ${canary} is too long`);
  }
  @Get("own")
  own(): never {
    throw new ApiError(409, "not_pending", "Somebody has decided already; load the page again.");
  }
  @Get("unexpected")
  unexpected(): never {
    throw new CountersignError("evidence_unavailable", "Try again later.");
  }
}

@Module({
  controllers: [Failing],
  providers: [
    {
      provide: APP_FILTER,
      inject: [HttpAdapterHost],
      useFactory: (host: HttpAdapterHost) => new ApiErrorFilter(host, log),
    },
  ],
})
class TestModule {}

describe("an error on its way out of an API", () => {
  let app: INestApplication;
  let url: string;
  beforeAll(async () => {
    app = await NestFactory.create(TestModule, { logger: false });
    await app.listen(0, "127.0.0.1");
    url = await app.getUrl();
  });
  afterAll(() => app.close());

  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    return { status: response.status, text, error: apiError.parse(JSON.parse(text)).error };
  };
  const post = (body: string, contentType = "application/json") =>
    ask("/decide", { method: "POST", body, headers: { "content-type": contentType } });

  it("never carries a foreign error's message, nor does the log", async () => {
    const { status, text, error } = await ask("/foreign");
    expect([status, error.code]).toEqual([500, "internal"]);
    expect(text).not.toContain(canary);
    expect(lines.join("")).not.toContain(canary);
  });

  it("does not give back a body that is not JSON", async () => {
    const { status, text, error } = await post(`{"card": ${canary} ${canary}}`);
    expect([status, error.code]).toEqual([400, "bad_request"]);
    expect(text).not.toContain(canary);
  });

  it("does not give back the path that was asked for", async () => {
    const { status, text } = await ask(`/cards/${canary}`);
    expect(status).toBe(404);
    expect(text).not.toContain(canary);
  });

  it("names what is wrong with a request, not what was in it", async () => {
    const { status, text, error } = await post(JSON.stringify({ decision: canary }));
    expect([status, error.code]).toEqual([400, "request_invalid"]);
    expect(error.message).toContain("decision: ");
    expect(text).not.toContain(canary);
  });

  it("refuses a body that is too large", async () => {
    expect((await post(JSON.stringify({ comment: "x".repeat(200_000) }))).status).toBe(413);
  });

  it("is ours with its own status", async () => {
    expect(await ask("/own")).toMatchObject({ status: 409, error: { code: "not_pending" } });
  });

  it("is a failure of the service where it is ours but not the caller's", async () => {
    expect(await ask("/unexpected")).toMatchObject({ status: 500, error: { code: "evidence_unavailable" } });
  });

  it("does not stand in the way of a sound request", async () => {
    const response = await fetch(`${url}/decide`, {
      method: "POST",
      body: JSON.stringify({ decision: "approve" }),
      headers: { "content-type": "application/json" },
    });
    expect(await response.json()).toEqual({ decision: "approve" });
  });
});
