import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { freePorts, type RunningKafka, startKafka } from "@countersign/local";
import { GatewayFixture } from "@countersign/proxy/testing";
import { ensureTopics } from "@countersign/setup";
import { Forwarder } from "./forwarder.ts";
import type { FixtureName } from "./plan.ts";
import { legacyServer } from "./servers/legacy.server.ts";
import { modernServer } from "./servers/modern.server.ts";

/** Everything that a run needs: servers of both eras, and a gateway with a Kafka and an issuer of its own. */
export class Stand {
  readonly #folder: string;
  readonly #servers: Server[] = [];
  readonly #urls = new Map<FixtureName, string>();
  readonly #published = new Map<string, Promise<string>>();
  readonly #forwarder = new Forwarder();
  #kafka: RunningKafka | undefined;
  #gateway: GatewayFixture | undefined;
  controlUrl = "";

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    const [port = 0, controllerPort = 0] = await freePorts(2);
    this.#kafka = await startKafka({ dataDir: join(this.#folder, "kafka"), port, controllerPort });
    await ensureTopics(this.#kafka.brokers);
    const { origin } = await this.#forwarder.start();
    this.#gateway = await new GatewayFixture(this.#kafka.brokers, { allowedOrigins: [origin] }).start();
    this.#urls.set("legacy", await this.#serve(legacyServer()));
    this.#urls.set("modern", await this.#serve(modernServer()));
    // A client under test learns of its server when it is started, so it asks here for the way through the gateway.
    this.controlUrl = await this.#serve((request, response) => {
      const upstream = new URL(request.url ?? "/", "http://localhost").searchParams.get("upstream") ?? "";
      this.throughGateway(upstream).then(
        (url) => response.end(url),
        () => response.writeHead(500).end(),
      );
    });
  }

  urlOf(fixture: FixtureName): string {
    return this.#urls.get(fixture) ?? "";
  }

  /** How many records of the runs are on Kafka. */
  get recorded(): number {
    return this.#gateway?.traffic.length ?? 0;
  }

  /** A URL without login that leads to this server through the gateway. */
  throughGateway(upstream: string): Promise<string> {
    const url = this.#published.get(upstream) ?? this.#publish(upstream);
    this.#published.set(upstream, url);
    return url;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    this.#forwarder.stop();
    await this.#gateway?.stop();
    await this.#kafka?.stop();
  }

  async #publish(upstream: string): Promise<string> {
    const gateway = this.#gateway;
    if (!gateway) throw new Error("the stand is not started");
    const endpoint = await gateway.addEndpoint(upstream);
    const { token } = await gateway.session({ endpoint });
    return this.#forwarder.add(`${gateway.url}/mcp/${endpoint}`, token);
  }

  async #serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://localhost:${(server.address() as AddressInfo).port}/mcp`;
  }
}
