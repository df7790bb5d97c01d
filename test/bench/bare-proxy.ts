/** What any proxy costs: bytes in, bytes out, nothing looked at. `node test/bench/bare-proxy.ts PORT UPSTREAM_URL` */
import { Agent, createServer, request as send } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const [port, upstream = ""] = process.argv.slice(2);

createServer((request, response) => {
  const { host: _, connection: _c, ...headers } = request.headers;
  const forwarded = send(upstream, { method: request.method, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  forwarded.on("error", () => response.destroy());
  request.pipe(forwarded);
}).listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));
