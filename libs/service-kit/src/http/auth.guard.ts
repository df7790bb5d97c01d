import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from "@nestjs/common";
import { Reflector } from "@nestjs/core";
import { apiAudience, type Principal, principal } from "@countersign/contracts";
import { ApiError } from "./api-error.js";
import { TokenVerifier } from "./token-verifier.js";

const publicRoute = "countersign:public";

/** A route or controller that needs no token. Everything else does. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(publicRoute, true);

interface HttpRequest {
  headers: Record<string, string | string[] | undefined>;
  caller?: Principal;
}

/** Who calls: `list(@Caller() caller: Principal)`. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { caller } = context.switchToHttp().getRequest<HttpRequest>();
  if (!caller) throw new ApiError(401, "token_missing", "Send an access token for urn:countersign:api.");
  return caller;
});

/** Lets a request pass only with an access token for Countersign's own API. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenVerifier,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== "http") return true;
    if (this.reflector.getAllAndOverride<boolean>(publicRoute, [context.getHandler(), context.getClass()]))
      return true;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    request.caller = await this.#callerOf(request);
    return true;
  }

  async #callerOf(request: HttpRequest): Promise<Principal> {
    const token = bearerOf(request.headers["authorization"]);
    if (!token)
      throw new ApiError(401, "token_missing", `Send an access token whose audience is ${apiAudience}.`);
    const claims = await this.tokens.verify(token, apiAudience).catch((cause: unknown) => {
      throw new ApiError(401, "token_invalid", "The access token is not valid for this API; log in again.", {
        cause,
      });
    });
    const parsed = principal.safeParse({ ...claims, id: claims.sub });
    if (!parsed.success)
      throw new ApiError(401, "token_invalid", "The access token does not say who calls; log in again.");
    return parsed.data;
  }
}

/** The credentials of an `Authorization: Bearer` header (RFC 6750 §2.1). */
export function bearerOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? /^Bearer +([\w~+/.-]+=*)$/i.exec(header)?.[1] : undefined;
}
