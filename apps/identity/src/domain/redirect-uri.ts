const uriCharactersMax = 2_000;

const loopbackHosts: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * Schemes that are somebody's already: of the web, of browsers, of protocols and of parts of an operating system. None of
 * them belongs to a program that waits for a code, and some of them run or open what stands in the address.
 */
const takenSchemes: ReadonlySet<string> = new Set(
  `
  javascript vbscript livescript data blob file filesystem about http https ws wss ftp ftps sftp tftp gopher
  view-source resource jar wyciwyg chrome chrome-extension chrome-untrusted devtools edge brave opera vivaldi
  moz-extension moz-icon safari-extension safari-web-extension ms-browser-extension extension feed cid mid urn
  mailto tel sms mms callto sip sips facetime facetime-audio imessage xmpp irc ircs news nntp snews imap ldap
  ldaps dns geo maps magnet ssh telnet rlogin tn3270 rdp vnc smb cifs nfs afp dav davs webdav git svn rsync rtsp
  rtmp itms-services intent android-app content package market app shell help hcp res ms-its mhtml search
  search-ms ms-msdt ms-settings ms-appinstaller ms-officecmd ms-cxh ms-gamebar ms-word ms-excel ms-powerpoint
  ms-visio ms-access ms-project ms-publisher ms-infopath x-man-page x-help-script x-apple-helpbasic applescript
  x-apple.systempreferences prefs
`
    .trim()
    .split(/\s+/),
);

/**
 * Whether a client may have codes sent there: over https; over http to the person's own machine, where the port may be
 * any (RFC 8252 §7.3); or to a program that answers to a scheme of its own (§7.1). Addresses are compared whole, so one
 * that looks like a pattern is refused.
 */
export function isAllowedRedirect(uri: unknown): boolean {
  if (typeof uri !== "string" || uri.length > uriCharactersMax || !URL.canParse(uri)) return false;
  const url = new URL(uri);
  if (url.username || url.password || uri.includes("#") || uri.includes("*")) return false;
  return url.protocol === "https:" || isLoopback(uri) || privateUseScheme(uri) !== undefined;
}

export function isLoopback(uri: string): boolean {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  return url?.protocol === "http:" && loopbackHosts.has(url.hostname);
}

/**
 * The private-use scheme of an address, as `cursor` of `cursor://example/callback`; undefined where it has none. The
 * address has an authority or a path, and stands as browsers write it, so that what is registered is what is opened. A dot
 * in the scheme, which RFC 8252 §7.1 asks for, is not asked for here: widely used clients have none.
 */
export function privateUseScheme(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, href, host, pathname } = new URL(uri);
  const scheme = protocol.slice(0, -1);
  const namesSomething = pathname.startsWith("/") ? host !== "" || pathname.length > 1 : host !== "";
  return href === uri && namesSomething && !takenSchemes.has(scheme) ? scheme : undefined;
}
