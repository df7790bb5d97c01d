import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from "@nestjs/common";
import {
  type ExtendRequest,
  extendRequest,
  id,
  type Principal,
  revokeRequest,
  type SessionView,
} from "@countersign/contracts";
import { Caller, Shape } from "@countersign/service-kit";
import type { z } from "zod";
import { Extensions } from "./extensions.service.js";
import {
  type RevokeManyRequest,
  revokeManyRequest,
  type SessionQuery,
  sessionQuery,
} from "./sessions.requests.js";
import { Sessions } from "./sessions.service.js";

@Controller("sessions")
export class SessionsController {
  constructor(
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(Extensions) private readonly extensions: Extensions,
  ) {}

  /** One's own sessions; all of them for administrators. */
  @Get()
  list(
    @Caller() caller: Principal,
    @Query(new Shape(sessionQuery)) query: SessionQuery,
  ): Promise<SessionView[]> {
    return this.sessions.list(caller, query);
  }

  @Get(":id")
  get(@Caller() caller: Principal, @Param("id", new Shape(id)) sessionId: string): Promise<SessionView> {
    return this.sessions.get(caller, sessionId);
  }

  /** One's own, or anybody's for administrators. */
  @Post(":id/revoke")
  @HttpCode(200)
  revoke(
    @Caller() caller: Principal,
    @Param("id", new Shape(id)) sessionId: string,
    @Body(new Shape(revokeRequest)) { reason }: z.infer<typeof revokeRequest>,
  ): Promise<SessionView> {
    return this.sessions.revoke(caller, sessionId, reason);
  }

  /** One's own alone: asks for more time, which another person has to approve. */
  @Post(":id/extend")
  @HttpCode(202)
  extend(
    @Caller() caller: Principal,
    @Param("id", new Shape(id)) sessionId: string,
    @Body(new Shape(extendRequest)) body: ExtendRequest,
  ): Promise<SessionView> {
    return this.extensions.ask(caller, sessionId, body);
  }

  /** Administrators only: everything that one principal has open, or that is open on one endpoint. */
  @Post("revoke")
  @HttpCode(200)
  revokeMany(
    @Caller() caller: Principal,
    @Body(new Shape(revokeManyRequest)) body: RevokeManyRequest,
  ): Promise<{ revoked: number }> {
    return this.sessions.revokeMany(caller, body);
  }
}
