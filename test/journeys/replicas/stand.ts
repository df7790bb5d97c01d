import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, tokenOf } from "@countersign/local";
import { parse, stringify } from "yaml";
import { startTestSuite } from "../suite.fixture.js";
import { ProxyReplica } from "./proxy-replica.js";
import { RoundRobin } from "./round-robin.js";
import { CountingUpstream } from "./upstream.js";

const root = new URL("../../../", import.meta.url).pathname;

export type EndpointName = "sessions" | "stateless";
const endpointNames: readonly EndpointName[] = ["sessions", "stateless"];

/** Engineers may call everything, but the tool `approved` has to be approved by a lead. */
const policiesOf = (endpoint: EndpointName): string => `
@id("${endpoint}-open") permit (principal in Group::"payments-engineers", action in [Action::"openSession", Action::"openSessionUnattended"],
  resource == Endpoint::"${endpoint}");
@id("${endpoint}-call") permit (principal in Group::"payments-engineers", action in [Action::"call", Action::"callUnattended"],
  resource in Endpoint::"${endpoint}");
@id("${endpoint}-approved") forbid (principal, action == Action::"callUnattended",
  resource == Tool::"${endpoint}/approved");
@id("${endpoint}-approve") permit (principal in Group::"payments-leads", action == Action::"approve",
  resource in Endpoint::"${endpoint}");
`;

/** The suite with three proxies in the place of one, behind a balancer at its address, and servers of both eras. */
export class ReplicaStand {
  readonly upstream = new CountingUpstream();
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-replicas-"));
  suite!: Awaited<ReturnType<typeof startTestSuite>>;
  balancer!: RoundRobin;
  replicas: readonly ProxyReplica[] = [];

  async start(): Promise<this> {
    await this.upstream.start();
    cpSync(join(root, "policies"), join(this.#folder, "policies"), { recursive: true });
    writeFileSync(join(this.#folder, "policies/replicas.cedar"), endpointNames.map(policiesOf).join(""));
    const configFile = join(this.#folder, "countersign.yaml");
    const configuration = parse(readFileSync(join(root, "countersign.yaml"), "utf8")) as {
      endpoints: Record<string, unknown>[];
    };
    const { session, approval } = configuration.endpoints[0] ?? {};
    for (const name of endpointNames) {
      const upstream = { url: this.upstream.urls[name], credential: { type: "none" }, timeout: "10s" };
      configuration.endpoints.push({ name, title: name, upstream, session, approval });
    }
    writeFileSync(configFile, stringify(configuration));
    this.suite = await startTestSuite({}, { configFile });
    // The address of the proxy becomes the balancer's, behind which the replicas stand.
    await this.suite.service("proxy").stop();
    const ports = await freePorts(3);
    this.replicas = ports.map((port, index) => new ProxyReplica(this.suite, `replica-${index}`, port));
    await Promise.all(this.replicas.map((replica) => replica.start()));
    this.balancer = await new RoundRobin(ports).listen(this.suite.ports.proxy);
    return this;
  }

  urlOf(endpoint: EndpointName): string {
    return `${this.suite.urls.proxy}/mcp/${endpoint}`;
  }

  /** An engineer's token for a session of its own. */
  tokenFor(endpoint: EndpointName): Promise<string> {
    return tokenOf("engineer", this.suite.urls.identity, this.urlOf(endpoint), "OPS-3: several proxies");
  }

  async stop(): Promise<void> {
    this.balancer?.close();
    await Promise.all(this.replicas.map((replica) => replica.end("SIGKILL")));
    this.upstream.stop();
    await this.suite?.forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
