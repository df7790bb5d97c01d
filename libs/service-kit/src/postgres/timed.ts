import type { FactoryProvider, OnApplicationBootstrap, OnModuleDestroy, Type } from "@nestjs/common";
import { DataSource } from "typeorm";
import type { Logger } from "../logs.js";
import { LOG } from "../tokens.js";
import { Ticker } from "./leader.js";

interface Task {
  run(): Promise<void>;
}

/** A ticker that lives as long as its service. */
class ServiceTicker extends Ticker implements OnApplicationBootstrap, OnModuleDestroy {
  onApplicationBootstrap(): void {
    this.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.stop();
  }
}

/**
 * Has a provider's `run` done at an interval while the service runs, in one replica at a time; for the module to list
 * beside that provider. `name` is the lock's: one name, one runner in the whole deployment.
 */
export const timed = (
  task: Type<Task>,
  { name, everyMs }: { readonly name: string; readonly everyMs: number },
): FactoryProvider<Ticker> => ({
  provide: Symbol(name),
  inject: [task, DataSource, LOG],
  useFactory: (due: Task, dataSource: DataSource, log: Logger) =>
    new ServiceTicker({ dataSource, log, name, everyMs, task: () => due.run() }),
});
