import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  HttpStatus,
  type PipeTransform,
} from "@nestjs/common";
import { HttpAdapterHost } from "@nestjs/core";
import { CountersignError } from "@countersign/contracts";
import { type Observable, throwError } from "rxjs";
import type { z } from "zod";
import type { Logger } from "../logs.js";

/** An error that an API answers with a status of its own. */
export class ApiError extends CountersignError {
  readonly status: number;

  constructor(status: number, code: string, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.status = status;
  }
}

/** Parses a body, query or parameter by its contract: `@Body(new Shape(decisionRequest))`. */
export class Shape<S extends z.ZodType> implements PipeTransform<unknown, z.infer<S>> {
  constructor(private readonly schema: S) {}

  transform(value: unknown): z.infer<S> {
    const result = this.schema.safeParse(value ?? {});
    if (result.success) return result.data;
    const problems = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "request"}: ${issue.message}`,
    );
    throw new ApiError(400, "request_invalid", problems.join("; "));
  }
}

/** Every error leaves as `{ error: { code, message } }`; a foreign error's message stays inside. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly log: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): Observable<never> | undefined {
    if (host.getType() !== "http") return throwError(() => error);
    const { httpAdapter } = this.adapterHost;
    const response: unknown = host.switchToHttp().getResponse();
    const { status, body } = this.#answer(error);
    httpAdapter.reply(response, body, status);
    return undefined;
  }

  #answer(error: unknown): { status: number; body: unknown } {
    if (error instanceof ApiError) return { status: error.status, body: bodyOf(error.code, error.message) };
    if (error instanceof HttpException) {
      const body = error.getResponse();
      if (typeof body === "object" && "checks" in body) return { status: error.getStatus(), body };
      return refusal(error.getStatus());
    }
    const status = statusOf(error);
    if (status !== undefined) return refusal(status);
    if (error instanceof CountersignError) {
      this.log.error({ error }, "request failed");
      return { status: 500, body: bodyOf(error.code, error.message) };
    }
    this.log.error({ error }, "request failed");
    return {
      status: 500,
      body: bodyOf("internal", "The service failed; see its log for the cause, then try again."),
    };
  }
}

const bodyOf = (code: string, message: string): unknown => ({ error: { code, message } });

/** The frameworks' own errors quote the request, which may hold card data; their status says enough. */
const refusal = (status: number): { status: number; body: unknown } => ({
  status,
  body: bodyOf(HttpStatus[status]?.toLowerCase() ?? "error", sentences[status] ?? "The request was refused."),
});

const sentences: Readonly<Record<number, string>> = {
  400: "The request cannot be read; check its syntax.",
  403: "You may not do this.",
  404: "There is nothing under this method and path.",
  413: "The request is too large.",
  415: "The request's content type is not taken here; send application/json.",
};

/** A client's fault as body parsers report it: an error with a status between 400 and 499. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
