import { type ServiceName, serviceNames } from "@countersign/contracts";
import { LaunchError } from "./launch-error.js";

/** Everything that the suite runs, in the order of its ports. */
export const partNames = [...serviceNames, "dev-idp", "payments", "kafka", "postgres"] as const;
export type PartName = (typeof partNames)[number];

/** What listens: every part, and the second port of Kafka. */
export type PortName = PartName | "kafka-controller";
export type Ports = Readonly<Record<PortName, number>>;

export const defaultPorts: Ports = {
  proxy: 8080,
  identity: 8081,
  "session-broker": 8082,
  approval: 8083,
  masking: 8084,
  audit: 8085,
  "dev-idp": 8090,
  payments: 8091,
  kafka: 9092,
  "kafka-controller": 9093,
  postgres: 5433,
};

export const portNames = Object.keys(defaultPorts) as PortName[];

const portBaseMin = 1_024;
const portBaseMax = 65_535 - portNames.length;

/** One port after another from `COUNTERSIGN_PORT_BASE` on, so that a second suite can run beside the first. */
export function portsFrom(env: NodeJS.ProcessEnv): Ports {
  const text = env["COUNTERSIGN_PORT_BASE"];
  if (!text) return defaultPorts;
  const base = Number(text);
  if (!Number.isInteger(base) || base < portBaseMin || base > portBaseMax) {
    throw new LaunchError(
      "preflight_failed",
      `COUNTERSIGN_PORT_BASE must be a whole number from ${portBaseMin} to ${portBaseMax}; it is followed by ` +
        `${portNames.length - 1} more ports.`,
    );
  }
  return portsOf(portNames.map((_name, index) => base + index));
}

/** The given ports in the order of `portNames`. */
export function portsOf(ports: readonly number[]): Ports {
  return Object.fromEntries(portNames.map((name, index) => [name, ports[index]])) as Ports;
}

export const isServiceName = (part: PartName): part is ServiceName =>
  (serviceNames as readonly string[]).includes(part);
