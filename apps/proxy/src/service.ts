import type { INestApplication } from "@nestjs/common";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { type ServiceDefinition, ViewTransport } from "@countersign/service-kit";
import { type ProxyConfig, proxyConfig } from "./config.js";
import { ProxyModule } from "./proxy.module.js";

/** No session is longer; the view of sessions reads back this far. */
const sessionMsMax = 24 * 60 * 60 * 1_000;

/** No call waits longer for an approval. */
const holdMsMax = 24 * 60 * 60 * 1_000;

export const proxyService: ServiceDefinition<typeof proxyConfig> = {
  name: "proxy",
  config: proxyConfig,
  module: () => ProxyModule,
  adapter: (config) =>
    new FastifyAdapter({
      forceCloseConnections: true,
      trustProxy: trustOf(config.TRUST_PROXY),
      requestTimeout: 0,
    }),
  prepare: takeBodiesAsStreams,
  transports: (_, around) => [
    new ViewTransport(around, [
      {
        topic: "session.events",
        sinceMs: sessionMsMax,
        ignores: [
          "SessionRequested",
          "SessionAwaitsApproval",
          "SessionDenied",
          "SessionExtensionRequested",
          "SessionExtensionRefused",
        ],
      },
      { topic: "policy.bundles" },
      { topic: "policy.tools" },
      { topic: "mcp.tools" },
      { topic: "masking.policies" },
      { topic: "mcp.holds", sinceMs: holdMsMax },
      {
        topic: "approval.events",
        sinceMs: holdMsMax,
        ignores: ["ApprovalRequested", "ApprovalWithdrawn", "ApprovalAttemptRefused"],
      },
    ]),
  ],
};

/** Fastify believes no bare number of hops; who sets one says that nobody reaches this service past those proxies. */
const trustOf = (trusted: ProxyConfig["TRUST_PROXY"]): TrustProxy =>
  typeof trusted === "number" ? (_address, hop) => hop < trusted : (trusted ?? false);

type TrustProxy = false | string[] | ((address: string, hop: number) => boolean);

/** The pipeline reads bodies itself, after it knows who sends them; nothing is parsed before. */
function takeBodiesAsStreams(app: INestApplication): void {
  const adapter = app.getHttpAdapter() as unknown as FastifyAdapter;
  Reflect.set(adapter, "registerParserMiddleware", () => undefined);
  const fastify = adapter.getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser("*", (_request, _payload, done) => done(null));
}
