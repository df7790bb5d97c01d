import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { SignedXml } from "xml-crypto";
import { encrypt } from "xml-encryption";

const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
const enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const sha256 = {
  signature: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
  digest: "http://www.w3.org/2001/04/xmlenc#sha256",
};
const sha1 = {
  signature: "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
  digest: "http://www.w3.org/2000/09/xmldsig#sha1",
};

export const idpEntityId = "https://idp.example.com/saml";

/** A key pair of a made-up identity provider or of this service. */
export function samlKeys(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = (key: KeyObject, type: "pkcs8" | "spki") => String(key.export({ type, format: "pem" })).trim();
  return { privateKey: pem(privateKey, "pkcs8"), publicKey: pem(publicKey, "spki") };
}

/** What an honest provider says; tests change what they are about. */
export interface Said {
  issuer: string;
  audience: string;
  recipient: string;
  inResponseTo: string | undefined;
  nameId: string;
  nameIdFormat: string;
  attributes: Record<string, readonly string[]>;
  context: string;
  authnInstant: Date;
  notBefore: Date;
  notOnOrAfter: Date;
  assertionId: string;
}

export const honest = (about: { audience: string; recipient: string; inResponseTo: string }): Said => ({
  issuer: idpEntityId,
  ...about,
  nameId: "erin",
  nameIdFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
  attributes: { displayName: ["Erin Engineer"], email: ["erin@example.com"], groups: ["payments-engineers"] },
  context: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
  authnInstant: new Date(),
  notBefore: new Date(Date.now() - 1_000),
  notOnOrAfter: new Date(Date.now() + 60_000),
  assertionId: `_${randomUUID()}`,
});

const attribute = ([name, values]: [string, readonly string[]]): string =>
  `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join("")}</saml:Attribute>`;

export function assertionOf(said: Said): string {
  const answers = said.inResponseTo === undefined ? "" : ` InResponseTo="${said.inResponseTo}"`;
  const now = new Date().toISOString();
  return (
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${said.assertionId}" Version="2.0" IssueInstant="${now}">` +
    `<saml:Issuer>${said.issuer}</saml:Issuer>` +
    `<saml:Subject><saml:NameID Format="${said.nameIdFormat}">${said.nameId}</saml:NameID>` +
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">` +
    `<saml:SubjectConfirmationData${answers} Recipient="${said.recipient}" NotOnOrAfter="${said.notOnOrAfter.toISOString()}"/>` +
    `</saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${said.notBefore.toISOString()}" NotOnOrAfter="${said.notOnOrAfter.toISOString()}">` +
    `<saml:AudienceRestriction><saml:Audience>${said.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
    `<saml:AuthnStatement AuthnInstant="${said.authnInstant.toISOString()}" SessionIndex="s1"><saml:AuthnContext>` +
    `<saml:AuthnContextClassRef>${said.context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
    `<saml:AttributeStatement>${Object.entries(said.attributes).map(attribute).join("")}</saml:AttributeStatement>` +
    `</saml:Assertion>`
  );
}

/** The request of a provider that logs somebody out. */
export const logoutRequestOf = (said: {
  readonly destination: string;
  readonly nameId: string;
  readonly id?: string;
  readonly issuer?: string;
  readonly issueInstant?: Date;
}): string =>
  `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${said.id ?? `_${randomUUID()}`}" Version="2.0" ` +
  `IssueInstant="${(said.issueInstant ?? new Date()).toISOString()}" Destination="${said.destination}">` +
  `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${said.issuer ?? idpEntityId}</saml:Issuer>` +
  `<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${said.nameId}</saml:NameID>` +
  `<samlp:SessionIndex>s1</samlp:SessionIndex></samlp:LogoutRequest>`;

export function signed(
  assertion: string,
  privateKey: string,
  weak = false,
  element: "Assertion" | "LogoutRequest" = "Assertion",
): string {
  const algorithms = weak ? sha1 : sha256;
  const signer = new SignedXml({
    privateKey,
    signatureAlgorithm: algorithms.signature,
    canonicalizationAlgorithm: exclusive,
  });
  signer.addReference({
    xpath: `/*[local-name(.)='${element}']`,
    transforms: [enveloped, exclusive],
    digestAlgorithm: algorithms.digest,
  });
  signer.computeSignature(assertion, {
    location: { reference: `/*[local-name(.)='${element}']/*[local-name(.)='Issuer']`, action: "after" },
  });
  return signer.getSignedXml();
}

export function encrypted(assertion: string, publicKey: string): Promise<string> {
  return new Promise((resolve, reject) => {
    encrypt(
      assertion,
      {
        rsa_pub: publicKey,
        // The library repeats a certificate as a hint; nobody reads it.
        pem: "-----BEGIN CERTIFICATE-----AA==-----END CERTIFICATE-----",
        encryptionAlgorithm: "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        keyEncryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
      },
      (error, result) =>
        error
          ? reject(error)
          : resolve(
              `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${result}</saml:EncryptedAssertion>`,
            ),
    );
  });
}

/** The response around an assertion, as the browser's form carries it. */
export const responseOf = (content: string, inResponseTo: string | undefined): string =>
  `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_${randomUUID()}" Version="2.0" IssueInstant="${new Date().toISOString()}"${inResponseTo === undefined ? "" : ` InResponseTo="${inResponseTo}"`}>` +
  `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${idpEntityId}</saml:Issuer>` +
  `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${content}</samlp:Response>`;

/** What the service asked of the provider, by the address that it sends the browser to. */
export function requestIn(location: string): { xml: string; id: string; relayState: string } {
  const { searchParams } = new URL(location);
  const xml = inflateRawSync(Buffer.from(searchParams.get("SAMLRequest") ?? "", "base64")).toString("utf8");
  return {
    xml,
    id: /\bID="([^"]+)"/.exec(xml)?.[1] ?? "",
    relayState: searchParams.get("RelayState") ?? "",
  };
}
