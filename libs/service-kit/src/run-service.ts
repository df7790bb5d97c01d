import "reflect-metadata";
import { type DynamicModule, type INestApplication, Module } from "@nestjs/common";
import { type AbstractHttpAdapter, NestFactory } from "@nestjs/core";
import type { Server } from "@nestjs/microservices";
import { ExpressAdapter } from "@nestjs/platform-express";
import { CountersignError, type ServiceName } from "@countersign/contracts";
import type { z } from "zod";
import { parseConfig, type ServiceConfig } from "./config.js";
import { EventLog } from "./kafka/event-log.js";
import type { Surroundings } from "./kafka/transport.js";
import { KitModule } from "./kit.module.js";
import { createLogger, type Logger, NestLogs } from "./logs.js";
import { SURROUNDINGS } from "./tokens.js";

@Module({})
class ServiceRoot {}

export interface ServiceDefinition<S extends z.ZodType<ServiceConfig>> {
  readonly name: ServiceName;
  /** Extends `serviceConfig`. */
  readonly config: S;
  readonly module: (config: z.infer<S>) => DynamicModule | (new (...parts: never[]) => object);
  /** Express unless told otherwise. */
  readonly adapter?: (config: z.infer<S>) => AbstractHttpAdapter;
  /** The service's Kafka subscriptions. */
  readonly transports?: (app: INestApplication, around: Surroundings, config: z.infer<S>) => Server[];
  /** Middleware that has to stand before Nest's own routes. */
  readonly prepare?: (app: INestApplication, config: z.infer<S>) => Promise<void> | void;
}

const shutdownMsMax = 10_000;

/** Starts a service and keeps it until it is told to stop. Start-up errors are one clear message and exit code 1. */
export async function runService<S extends z.ZodType<ServiceConfig>>(
  service: ServiceDefinition<S>,
): Promise<void> {
  const log = createLogger(service.name, process.env["LOG_LEVEL"] ?? "info");
  logWarnings(log);
  try {
    const config = parseConfig(service.name, service.config, process.env);
    const app = await createService(service, config, log);
    stopOnRequest(app, log);
    await app.listen(config.PORT, config.HOST);
    await app.startAllMicroservices();
    log.info({ host: config.HOST, port: config.PORT }, "listening");
  } catch (error) {
    log.fatal({ error }, "cannot start");
    if (error instanceof CountersignError) process.stderr.write(`${error.message}\n`);
    else if (isAddressInUse(error)) {
      process.stderr.write(
        `${service.name}: the port is taken; stop what listens there or set another PORT.\n`,
      );
    }
    process.exit(1);
  }
}

/** Wires a service without starting it: one wiring for production and tests. */
export async function createService<S extends z.ZodType<ServiceConfig>>(
  service: ServiceDefinition<S>,
  config: z.infer<S>,
  log: Logger,
): Promise<INestApplication> {
  const root: DynamicModule = {
    module: ServiceRoot,
    imports: [KitModule.for(service.name, config, log), service.module(config) as DynamicModule],
  };
  const app = await NestFactory.create(root, service.adapter?.(config) ?? new ExpressAdapter(), {
    logger: new NestLogs(log),
    abortOnError: false,
  });
  await app.get(EventLog).open();
  await service.prepare?.(app, config);
  for (const transport of service.transports?.(app, app.get<Surroundings>(SURROUNDINGS), config) ?? []) {
    app.connectMicroservice({ strategy: transport }, { inheritAppConfig: true });
  }
  return app;
}

/** Node's warnings are log lines too. One is left out: kafkajs sets timers in the past, which Node corrects. */
function logWarnings(log: Logger): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "TimeoutNegativeWarning") log.warn({ error: warning }, "node warns");
  });
}

/** SIGTERM, SIGINT, or the end of the launcher that started us: close in good order, within bounds. */
function stopOnRequest(app: INestApplication, log: Logger): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping");
    setTimeout(() => {
      log.error({ code: "shutdown_late" }, "stopping took too long");
      process.exit(1);
    }, shutdownMsMax).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  if (process.env["COUNTERSIGN_PARENT"] !== "ipc") return;
  process.on("disconnect", () => stop("parent gone"));
  if (!process.connected) stop("parent gone");
}

const isAddressInUse = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "EADDRINUSE";
