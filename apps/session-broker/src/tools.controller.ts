import { Body, Controller, HttpCode, Inject, Param, Post } from "@nestjs/common";
import type { Principal, ToolChangeAccepted } from "@countersign/contracts";
import { ApiError, Caller, Clock, Outbox, Shape } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { Permissions } from "./permissions.js";
import { type AcceptToolRequest, acceptToolRequest, endpointParam, toolParam } from "./tools.requests.js";

/** Tools whose definition changed: the proxy holds them, and an administrator lets one definition of one tool go on. */
@Controller("endpoints/:name/tools")
export class ToolsController {
  constructor(
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Permissions) private readonly permissions: Permissions,
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Accepts the definition with this digest; the refused call and the record of the change name it. */
  @Post(":tool/accept")
  @HttpCode(200)
  async accept(
    @Caller() caller: Principal,
    @Param("name", new Shape(endpointParam)) endpoint: string,
    @Param("tool", new Shape(toolParam)) tool: string,
    @Body(new Shape(acceptToolRequest)) { digest }: AcceptToolRequest,
  ): Promise<ToolChangeAccepted> {
    await this.permissions.requireAdministrator(caller);
    const { bundle } = await this.current.read();
    if (!bundle.endpoints.some(({ name }) => name === endpoint)) {
      throw new ApiError(404, "endpoint_unknown", "There is no such endpoint.");
    }
    const by = { id: caller.id, ...(caller.name === undefined ? {} : { name: caller.name }) };
    const data = { endpoint, tool, digest, by };
    const event = {
      id: this.clock.newId(),
      type: "ToolChangeAccepted" as const,
      source: "session-broker" as const,
      subject: `${endpoint}/${tool}`,
      time: this.clock.now().toISOString(),
      data,
    };
    await this.outbox.add(this.dataSource.manager, { topic: "policy.tools", event });
    this.outbox.wake();
    return data;
  }
}
