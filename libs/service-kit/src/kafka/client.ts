import kafkajs, { type Kafka, type KafkaConfig } from "kafkajs";
import type { Logger } from "../logs.js";
import { stopIdleTimers } from "./idle-timers.js";
import { encodeRecordsOnce } from "./record-encoder.js";

const { logLevel } = kafkajs;

stopIdleTimers();
encodeRecordsOnce();

/** Bounds on a single try and on all tries together; past them the caller is told. */
const limits = {
  connectionTimeout: 2_000,
  requestTimeout: 5_000,
  retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
} satisfies Partial<KafkaConfig>;

/** The connection settings of one service. Its chatter reaches our log as codes, at debug level. */
export function createKafka(service: string, brokers: string[], log: Logger): Kafka {
  return new kafkajs.Kafka({
    clientId: `countersign-${service}`,
    brokers,
    ...limits,
    logLevel: logLevel.ERROR,
    logCreator: () => () => {
      log.debug({ code: "kafka_client" }, "kafka client reports a problem");
    },
  });
}
