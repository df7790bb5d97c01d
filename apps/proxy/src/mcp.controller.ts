import { isIP } from "node:net";
import { Controller, Delete, Get, Inject, Param, Post, Req, Res } from "@nestjs/common";
import { Public } from "@countersign/service-kit";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Received } from "./exchange.js";
import { Pipeline } from "./pipeline.js";
import { Reply } from "./reply.js";

/** `/mcp/<endpoint>`: hands each request to the pipeline, which answers it by itself. Tokens are its first concern. */
@Public()
@Controller("mcp/:endpoint")
export class McpController {
  constructor(@Inject(Pipeline) private readonly pipeline: Pipeline) {}

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
