import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Injectable } from "@nestjs/common";
import { HttpAdapterHost } from "@nestjs/core";
import { ApiError } from "@countersign/service-kit";
import { EvidenceAccess } from "./evidence-access.js";

/** An invalid attempt to get at evidence is recorded before it is answered (PCI DSS 10.2.1.4). */
@Injectable()
@Catch(ApiError)
export class UnauthenticatedFilter implements ExceptionFilter<ApiError> {
  constructor(
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(EvidenceAccess) private readonly access: EvidenceAccess,
  ) {}

  async catch(error: ApiError, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const { route } = http.getRequest<{ route?: { path?: string } }>();
    const answered =
      error.status === 401
        ? await this.access.refused(route?.path ?? "unknown", error.code).then(
            () => error,
            (unrecorded: ApiError) => unrecorded,
          )
        : error;
    const { status, code, message } = answered;
    this.adapterHost.httpAdapter.reply(http.getResponse(), { error: { code, message } }, status);
  }
}
