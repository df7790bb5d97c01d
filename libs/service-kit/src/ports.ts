import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the range from which the kernel takes ports for outgoing connections, so that none is taken in between. */
const portMin = 20_000;
const portMax = 32_000;
const attemptsMax = 200;

const handedOut = new Set<number>();

export function isPortFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Free ports that this process has not handed out before. Another process may still take one: callers retry. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let attempt = 0; attempt < attemptsMax && ports.length < count; attempt += 1) {
    const port = randomInt(portMin, portMax);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isPortFree(port)) ports.push(port);
  }
  if (ports.length < count) throw new Error(`no ${count} free ports between ${portMin} and ${portMax}`);
  return ports;
}

/** One of them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}
