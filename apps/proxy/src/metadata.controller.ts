import { Controller, Get, Header, HttpCode, Inject, Options, Param, Redirect, Res } from "@nestjs/common";
import { ApiError, CONFIG, Public } from "@countersign/service-kit";
import type { FastifyReply } from "fastify";
import type { ProxyConfig } from "./config.js";
import { metadataPreflight } from "./cors.js";
import { PolicyView } from "./views/policy.view.js";

/** Where clients learn how to log in: RFC 9728, and RFC 8414 for those that look at the gateway itself. */
@Public()
@Controller(".well-known")
export class MetadataController {
  constructor(
    @Inject(CONFIG) private readonly config: ProxyConfig,
    private readonly policy: PolicyView,
  ) {}

  @Get("oauth-protected-resource/mcp/:endpoint")
  @Header("access-control-allow-origin", "*")
  protectedResource(@Param("endpoint") name: string): Record<string, unknown> {
    const endpoint = this.policy.endpoint(name);
    if (!endpoint) throw new ApiError(404, "endpoint_unknown", "There is no such endpoint.");
    return {
      resource: `${this.config.GATEWAY_URL}/mcp/${endpoint.name}`,
      resource_name: endpoint.title,
      authorization_servers: [this.config.ISSUER_URL],
      bearer_methods_supported: ["header"],
    };
  }

  @Get(["oauth-authorization-server", "oauth-authorization-server/mcp/:endpoint"])
  @Header("access-control-allow-origin", "*")
  @Redirect()
  authorizationServer(): { url: string; statusCode: number } {
    return { url: `${this.config.ISSUER_URL}/.well-known/oauth-authorization-server`, statusCode: 307 };
  }

  @Options([
    "oauth-protected-resource/mcp/:endpoint",
    "oauth-authorization-server",
    "oauth-authorization-server/mcp/:endpoint",
  ])
  @HttpCode(204)
  preflight(@Res({ passthrough: true }) reply: FastifyReply): void {
    reply.headers(metadataPreflight);
  }
}
