import { endpointName, secretReference } from "@countersign/contracts";
import { z } from "zod";
import { text, webUrl } from "./fields.js";

/** The first half of the id of a client that proves itself with a key of its own; nobody else may bear it. */
export const clientPrefix = "client";

const providerId = endpointName.refine((id) => id !== clientPrefix, {
  error: `must not be \`${clientPrefix}\`, which is for clients with keys of their own`,
});

const domain = z
  .string()
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, { error: "must be a domain in lower case, such as example.com" });

/** A claim by its name, or a JSON Pointer (RFC 6901) to one inside another, such as /realm_access/roles. */
const claimPath = z.string().min(1);

/** What every provider may say about groups, domains and second factors. */
const aboutPeople = {
  id: providerId,
  title: z.string().min(1).max(80),
  /** People with an address there are sent to this provider. */
  emailDomains: z.array(domain).default([]),
  /** What policies call a group that the provider calls otherwise, such as the id of a group of Entra ID. */
  groupNames: z.record(z.string().min(1), z.string().min(1)).default({}),
  /** Authentication contexts (`acr`, or AuthnContextClassRef) that mean several factors, where `amr` does not say so. */
  mfaContexts: z.array(z.string().min(1)).default([]),
};

const oidc = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    ...aboutPeople,
    type: z.literal("oidc"),
    issuer: webUrl(env),
    clientId: text(env),
    clientSecret: secretReference,
    groupsClaim: claimPath.default("groups"),
    scopes: z.array(z.string().min(1)).default(["openid", "profile", "email"]),
    /** Whether the provider may sign assertions (ID-JAG) that let an agent act for a person without a browser. */
    assertionGrant: z.boolean().default(false),
  });

const saml = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    ...aboutPeople,
    type: z.literal("saml"),
    /** The provider's own entity id; every assertion must name it as its issuer. */
    entityId: text(env),
    /** Where people are sent to. */
    ssoUrl: webUrl(env),
    /** Where its logouts are answered; without it, whoever logs out there ends on a page of ours. */
    sloUrl: webUrl(env).optional(),
    /** Files with the provider's signing certificates (PEM); several while it changes them. */
    certificateFiles: z.array(text(env)).min(1, { error: "must name at least one file" }),
    /** What the provider calls this service; <ISSUER_URL>/login/<id>/metadata unless it says otherwise. */
    audience: text(env).optional(),
    /** The private key (PEM) of assertions that the provider encrypts to us, and its certificate for the metadata. */
    decryptionKey: secretReference.optional(),
    decryptionCertificateFile: text(env).optional(),
    /** The attribute that identifies a person for good, where the NameID does not. */
    subjectAttribute: z.string().min(1).optional(),
    groupsAttribute: z.string().min(1).default("groups"),
    nameAttribute: z.string().min(1).default("displayName"),
    emailAttribute: z.string().min(1).default("email"),
  });

export const identityProvider = (env: NodeJS.ProcessEnv) =>
  z.discriminatedUnion("type", [oidc(env), saml(env)], { error: "must be `oidc` or `saml`" });

/** Which tokens of an issuer are which workload: every claim has to be as it says here. */
const workload = z.strictObject({
  name: endpointName,
  /** Claims by name or JSON Pointer; `*` stands for any characters but `/` and `:`. */
  claims: z.record(z.string().min(1), z.string().min(1)).refine((claims) => Object.keys(claims).length > 0, {
    error: "must name at least one claim",
  }),
  groups: z.array(z.string().min(1)).default([]),
});

export const workloadIssuer = (env: NodeJS.ProcessEnv) =>
  z.strictObject({
    id: providerId,
    issuer: webUrl(env),
    audience: text(env),
    /** Where the issuer's keys are, where its metadata does not say or cannot be reached. */
    jwksUrl: webUrl(env).optional(),
    groupsClaim: claimPath.default("groups"),
    /** Groups that every workload of this issuer has, for issuers that state none. */
    groups: z.array(z.string().min(1)).default([]),
    /** Where any are listed, a token that is none of them is refused. The first that fits names the principal. */
    workloads: z.array(workload).default([]),
  });

/** A machine that proves itself with a key of its own (`private_key_jwt`, RFC 7523). */
export const keyedClient = (env: NodeJS.ProcessEnv) =>
  z
    .strictObject({
      id: endpointName,
      title: z.string().min(1).max(80).optional(),
      /** The client's public keys: a JSON Web Key Set in a file or at an address. */
      jwksFile: text(env).optional(),
      jwksUrl: webUrl(env).optional(),
      /** Of the client itself, when it acts for nobody else. */
      groups: z.array(z.string().min(1)).default([]),
    })
    .refine(({ jwksFile, jwksUrl }) => (jwksFile === undefined) !== (jwksUrl === undefined), {
      error: "must have either `jwksFile` or `jwksUrl`",
    });
