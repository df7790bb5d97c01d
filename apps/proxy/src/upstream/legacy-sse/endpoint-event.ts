/**
 * Where messages are to be posted, from the first event of a stream. Only the stream's own origin is believed: the
 * gateway's credential goes there with each message.
 */
export function postUrl(streamUrl: string, data: string | undefined): string | undefined {
  if (data === undefined || !URL.canParse(data, streamUrl)) return undefined;
  const url = new URL(data, streamUrl);
  const sameOrigin = url.origin === new URL(streamUrl).origin;
  return sameOrigin && !url.username && !url.password ? url.href : undefined;
}
