import { createPrivateKey, createPublicKey } from "node:crypto";
import {
  type Configuration,
  type ConfigurationProblem,
  ConfigurationRefused,
} from "@countersign/configuration";
import { readPublicKeys, readSecret, readSecretFile, SecretUnreadable } from "./config.js";

/**
 * Reads everything that `countersign.yaml` has this service read, once before it starts, so that all that cannot be is
 * said at once and not at somebody's login. Errors: ConfigurationRefused.
 */
export function requireReadable({ identityProviders, clients }: Configuration, file: string): void {
  const problems: ConfigurationProblem[] = [];
  const attempt = (path: string, read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof SecretUnreadable)) throw error;
      problems.push({ file, path, message: error.problem, fix: error.fix });
    }
  };
  for (const [index, provider] of identityProviders.entries()) {
    const at = `identityProviders[${index}]`;
    if (provider.type === "oidc") {
      attempt(`${at}.clientSecret`, () => readSecret(provider.clientSecret));
      continue;
    }
    const { certificateFiles, decryptionKey, decryptionCertificateFile: shown } = provider;
    for (const [nth, path] of certificateFiles.entries())
      attempt(`${at}.certificateFiles[${nth}]`, () => readCertificate(path));
    if (decryptionKey) attempt(`${at}.decryptionKey`, () => asPrivateKey(readSecret(decryptionKey)));
    if (shown !== undefined) attempt(`${at}.decryptionCertificateFile`, () => readCertificate(shown));
  }
  for (const [index, { jwksFile }] of clients.entries())
    if (jwksFile !== undefined) attempt(`clients[${index}].jwksFile`, () => readPublicKeys(jwksFile));
  if (problems.length > 0) throw new ConfigurationRefused(problems);
}

/** The text of a certificate's file, or of a bare public key's. Errors: SecretUnreadable. */
export function readCertificate(path: string): string {
  const text = readSecretFile(path);
  try {
    // Whoever has put the private key here has given it to the wrong one.
    if (!text.includes("PRIVATE KEY") && createPublicKey(text)) return text;
    throw new Error("a private key");
  } catch (cause) {
    throw new SecretUnreadable("holds no certificate", "Name a file with one certificate (PEM).", { cause });
  }
}

function asPrivateKey(text: string): void {
  try {
    createPrivateKey(text);
  } catch (cause) {
    throw new SecretUnreadable("holds no private key", "Have it hold one without a passphrase (PEM).", {
      cause,
    });
  }
}
