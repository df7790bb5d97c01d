import { Inject, Injectable, type OnModuleDestroy } from "@nestjs/common";
import { Clock, SURROUNDINGS, type Surroundings } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { trafficTopic } from "./activity.js";
import { schemaName as schema } from "./schema-name.js";

/** The consumer group whose place in `mcp.traffic` is asked for. */
export const activityGroup = "session-broker-activity";

type Admin = ReturnType<Surroundings["kafka"]["admin"]>;

/** How far the record of calls has been read: until now where nothing is left to read, else until the last event. */
@Injectable()
export class TrafficProgress implements OnModuleDestroy {
  #admin: Promise<Admin> | undefined;

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SURROUNDINGS) private readonly around: Surroundings,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async seenUntil(): Promise<Date> {
    // The order matters: whatever is recorded after `now` cannot be missed by an end that is asked for later.
    const now = this.clock.now();
    const ends = await this.#ends();
    const read: { partition: number; next_offset: string | null }[] = await this.dataSource.query(
      `SELECT partition, next_offset FROM "${schema}".consumer_offsets WHERE consumer_group = $1 AND topic = $2`,
      [activityGroup, trafficTopic],
    );
    const next = new Map(read.map((row) => [row.partition, BigInt(row.next_offset ?? 0)]));
    if (ends?.every(({ partition, end }) => (next.get(partition) ?? 0n) >= end)) return now;
    const [seen]: { until: Date }[] = await this.dataSource.query(
      `SELECT until FROM "${schema}".traffic_seen`,
    );
    return seen?.until ?? new Date(0);
  }

  async onModuleDestroy(): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined);
    await admin?.disconnect();
  }

  /** Where each partition ends; undefined while Kafka does not answer, which must not end a session either. */
  async #ends(): Promise<{ partition: number; end: bigint }[] | undefined> {
    try {
      this.#admin ??= this.#connect();
      const offsets = await (await this.#admin).fetchTopicOffsets(trafficTopic);
      return offsets.map(({ partition, high }) => ({ partition, end: BigInt(high) }));
    } catch {
      const broken = this.#admin;
      this.#admin = undefined;
      await broken?.then((admin) => admin.disconnect()).catch(() => undefined);
      return undefined;
    }
  }

  async #connect(): Promise<Admin> {
    const admin = this.around.kafka.admin();
    await admin.connect();
    return admin;
  }
}
