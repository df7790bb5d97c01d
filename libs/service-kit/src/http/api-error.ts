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
      const status = error.getStatus();
      const body = error.getResponse();
      if (typeof body === "object" && "checks" in body) return { status, body };
      return { status, body: bodyOf(HttpStatus[status]?.toLowerCase() ?? "error", error.message) };
    }
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
