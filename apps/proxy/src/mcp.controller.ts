import { isIP } from "node:net";
import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  NotFoundException,
  Options,
  Param,
  Post,
  Req,
  Res,
} from "@nestjs/common";
import { CONFIG, Public } from "@countersign/service-kit";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ProxyConfig } from "./config.js";
import { originHeaders, preflightHeaders } from "./cors.js";
import type { Received } from "./exchange.js";
import { Pipeline } from "./pipeline.js";
import { Reply } from "./reply.js";
import { PolicyView } from "./views/policy.view.js";

/** `/mcp/<endpoint>`: hands each request to the pipeline, which answers it by itself. Tokens are its first concern. */
@Public()
@Controller("mcp/:endpoint")
export class McpController {
  constructor(
    @Inject(Pipeline) private readonly pipeline: Pipeline,
    @Inject(CONFIG) private readonly config: ProxyConfig,
    private readonly policy: PolicyView,
  ) {}

  /** A browser asks first whether a page of another origin may call; to those that may not, nothing is here. */
  @Options()
  @HttpCode(204)
  preflight(
    @Param("endpoint") name: string,
    @Req() { headers, url }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): void {
    const upstream = this.policy.endpoint(name)?.upstream;
    const listed = upstream && "forwardHeaders" in upstream ? upstream.forwardHeaders : [];
    const answer = preflightHeaders(headers, this.config.ALLOWED_ORIGINS, listed);
    if (!answer) throw new NotFoundException(`Cannot OPTIONS ${url}`);
    reply.headers(answer);
  }

  @Post()
  post(
    @Param("endpoint") name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#handle("POST", name, request, reply);
  }

  @Get()
  listen(
    @Param("endpoint") name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#handle("GET", name, request, reply);
  }

  @Delete()
  end(
    @Param("endpoint") name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#handle("DELETE", name, request, reply);
  }

  #handle(
    httpMethod: Received["httpMethod"],
    endpointName: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    reply.hijack();
    const ofOrigin = originHeaders(request.headers, this.config.ALLOWED_ORIGINS) ?? {};
    for (const [header, value] of Object.entries(ofOrigin)) reply.raw.setHeader(header, value);
    return this.pipeline.handle(
      {
        httpMethod,
        endpointName,
        headers: request.headers,
        clientAddress: addressOf(request),
        body: request.raw,
      },
      new Reply(reply.raw),
    );
  }
}

/** What a proxy in front says of its client is text of the client's own choice unless it is an address. */
const addressOf = ({ ip, raw }: FastifyRequest): string => (isIP(ip) ? ip : (raw.socket.remoteAddress ?? ""));
