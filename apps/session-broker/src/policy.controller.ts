import { Body, Controller, Get, HttpCode, Inject, Post } from "@nestjs/common";
import type { PolicyBundle, Principal } from "@countersign/contracts";
import {
  checkPolicies,
  type PolicyDecision,
  PolicyEngine,
  type PolicyProblem,
  type PolicyRequest,
} from "@countersign/policy";
import { ApiError, Caller, Clock, CONFIG, Shape } from "@countersign/service-kit";
import { CurrentBundle } from "./bundle/current-bundle.js";
import type { SessionBrokerConfig } from "./config.js";
import { durationOf } from "./domain/duration.js";
import { Permissions } from "./permissions.js";
import { type CheckRequest, checkRequest, type SimulateRequest, simulateRequest } from "./policy.requests.js";

@Controller()
export class PolicyController {
  constructor(
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Permissions) private readonly permissions: Permissions,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: SessionBrokerConfig,
  ) {}

  /** What there is to connect to; what stands behind it is for administrators. */
  @Get("endpoints")
  async endpoints(@Caller() caller: Principal): Promise<object[]> {
    const { bundle } = await this.current.read();
    const isAdministrator = await this.permissions.isAdministrator(caller);
    return bundle.endpoints.map((endpoint) => ({
      ...(isAdministrator ? endpoint : { name: endpoint.name, title: endpoint.title }),
      url: `${this.config.GATEWAY_URL}/mcp/${endpoint.name}`,
    }));
  }

  /** The policies that hold, for administrators. */
  @Get("policy")
  async policy(@Caller() caller: Principal): Promise<object> {
    await this.permissions.requireAdministrator(caller);
    const { version, publishedAt, policies, schema } = (await this.current.read()).bundle;
    return { version, publishedAt, policies, schema };
  }

  /** What is wrong with policies that are not published yet. */
  @Post("policy/check")
  @HttpCode(200)
  async check(
    @Caller() caller: Principal,
    @Body(new Shape(checkRequest)) { policies, schema }: CheckRequest,
  ): Promise<{ problems: PolicyProblem[] }> {
    await this.permissions.requireAdministrator(caller);
    const { bundle } = await this.current.read();
    const endpoints = bundle.endpoints.map(({ name }) => name);
    return { problems: checkPolicies({ policies, schema: schema ?? bundle.schema, endpoints }) };
  }

  /** What the policies would decide, without anything happening. */
  @Post("policy/simulate")
  @HttpCode(200)
  async simulate(
    @Caller() caller: Principal,
    @Body(new Shape(simulateRequest)) { request, at, policies, schema }: SimulateRequest,
  ): Promise<PolicyDecision & { version: string }> {
    await this.permissions.requireAdministrator(caller);
    const { bundle, engine } = await this.current.read();
    const now = at === undefined ? this.clock.now() : new Date(at);
    const question = ofGrantedLength(request, bundle);
    if (!policies && schema === undefined)
      return { ...engine.decide(question, now), version: engine.version };
    const candidate = { policies: policies ?? bundle.policies, schema: schema ?? bundle.schema };
    const problem = checkPolicies(candidate)[0];
    if (problem)
      throw new ApiError(
        422,
        "policy_invalid",
        `${problem.file}: ${problem.message}. Use /policy/check first.`,
      );
    return {
      ...new PolicyEngine({ version: "candidate", ...candidate }).decide(question, now),
      version: "candidate",
    };
  }
}

/** What is judged of a session is the length that it would be granted for. */
function ofGrantedLength(request: SimulateRequest["request"], { endpoints }: PolicyBundle): PolicyRequest {
  if (request.action !== "openSession" && request.action !== "openSessionUnattended") return request;
  const { durationSeconds } = request;
  const endpoint = endpoints.find(({ name }) => name === request.endpoint);
  return { ...request, durationSeconds: endpoint ? durationOf(durationSeconds, endpoint) : durationSeconds };
}
