import type { IncomingHttpHeaders } from "node:http";
import type { HttpUpstream as Settings } from "@countersign/contracts";
import type { Dispatcher } from "undici";
import type { Credential, Issued } from "../credentials/issued.js";
import { scrubbed, scrubbedBody } from "../credentials/scrub.js";
import type { Upstream, UpstreamAnswer, UpstreamRequest } from "../upstream.js";
import { withCredential } from "../credentials/with-credential.js";
import { sendOnce } from "./send.js";

/** A server that speaks streamable HTTP: bytes go through as they are, in both directions. */
export class HttpUpstream implements Upstream {
  constructor(
    private readonly settings: Settings,
    private readonly tools: {
      readonly calls: Dispatcher;
      readonly streams: Dispatcher;
      readonly credential: Credential;
    },
  ) {}

  async send(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { credential, calls, streams } = this.tools;
    const { answer, issued } = await withCredential(credential, (issued) =>
      sendOnce(request.listens ? streams : calls, this.settings.url, {
        method: request.httpMethod,
        headers: { ...request.headers, ...issued.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        signal: request.signal,
      }),
    );
    return withoutSecrets(answer, issued);
  }

  async close(): Promise<void> {
    // The connections are shared by all upstreams and end with their owner.
  }
}

/** An upstream that repeats the gateway's credential does not get it past the gateway. */
function withoutSecrets(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  { secrets }: Issued,
): UpstreamAnswer {
  if (secrets.length === 0) return { status: statusCode, headers, body };
  const withoutThem = (text: string): string => scrubbed(Buffer.from(text), secrets).toString();
  const clean: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    clean[name] = Array.isArray(value) ? value.map(withoutThem) : withoutThem(value);
  }
  return { status: statusCode, headers: clean, body: scrubbedBody(body, secrets) };
}
