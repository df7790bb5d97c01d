import { recordBytesMax } from "@countersign/contracts";

export interface BrokerPlace {
  readonly logDir: string;
  readonly port: number;
  readonly controllerPort: number;
}

/** One broker that is also its own controller, for this machine only: nothing is replicated, nothing listens outside. */
export function brokerProperties({ logDir, port, controllerPort }: BrokerPlace): string {
  const properties: Record<string, string | number | boolean> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "log.dirs": logDir,

    "auto.create.topics.enable": false,
    "message.max.bytes": recordBytesMax,
    "replica.fetch.max.bytes": recordBytesMax,
    "unclean.leader.election.enable": false,
    // Evidence does not expire by a broker's default; each topic names its own retention.
    "log.retention.ms": -1,
    // After a crash the controller waits this long for the broker that it believes to be alive before it lets it back.
    "broker.session.timeout.ms": 4_000,
    "broker.heartbeat.interval.ms": 500,

    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,

    // One node needs few partitions of the internal topics, and a new consumer need not wait for others to join.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
