import type { SamlProvider } from "@countersign/configuration";
import type { Profile } from "@node-saml/passport-saml";
import { z } from "zod";
import type { Claims } from "../domain/claims.js";
import { groupsIn } from "../domain/groups.js";
import { authenticationOf, principalOf } from "../domain/principal.js";
import type { Login } from "../store/logins.js";
import { LoginFailed } from "./login-errors.js";

const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/**
 * Collisions of SHA-1 can be bought; whatever rests on it proves nothing. Looked for in signatures alone, since the
 * encryption of keys may use it safely; an algorithm that is spelt in a roundabout way is as good as a weak one. What
 * is signed inside an encrypted assertion stays hidden from this look.
 */
export const weakSignature =
  /<(?:\w+:)?(?:SignatureMethod|Reference)\b(?:(?!<\/(?:\w+:)?SignedInfo)[\s\S])*?Algorithm\s*=\s*["'][^"']*(?:sha1|md5|&)/i;

/** The signed assertion as the library parses it; attributes of elements are under `$`, texts under `_`. */
const text = z.object({ _: z.string() });
const assertion = z.object({
  $: z.object({ ID: z.string().min(1), IssueInstant: z.string() }),
  Issuer: z.tuple([text]),
  Subject: z.tuple([
    z.object({
      NameID: z
        .tuple([z.object({ _: z.string(), $: z.looseObject({ Format: z.string().optional() }).optional() })])
        .optional(),
      SubjectConfirmation: z.array(
        z.object({
          $: z.looseObject({ Method: z.string() }),
          SubjectConfirmationData: z
            .tuple([
              z.object({
                $: z.looseObject({
                  InResponseTo: z.string(),
                  Recipient: z.string(),
                  NotOnOrAfter: z.string(),
                }),
              }),
            ])
            .optional()
            .catch(undefined),
        }),
      ),
    }),
  ]),
  AuthnStatement: z
    .array(
      z.object({
        $: z.looseObject({ AuthnInstant: z.string(), SessionIndex: z.string().optional() }),
        AuthnContext: z.array(z.looseObject({ AuthnContextClassRef: z.array(text).optional() })).optional(),
      }),
    )
    .min(1),
});

/** What a signed assertion proves. */
export interface Proved {
  readonly assertionId: string;
  readonly inResponseTo: string;
  readonly nameId: { readonly value: string; readonly format?: string | undefined } | undefined;
  readonly attributes: Claims;
  readonly authnInstant: string;
  readonly context?: string | undefined;
  readonly sessionIndex?: string | undefined;
}

/**
 * Reads an assertion whose signature, time and audience the library has checked. What it leaves to others is checked
 * here, in the signed part alone: that the assertion is by this provider, for a bearer, at this address, and answers a
 * question of ours (SAML profiles 4.1.4.2 and 4.1.4.3). The response around it is not trusted to say so. Errors: LoginFailed.
 */
export function provedBy(
  profile: Profile,
  expected: { readonly issuer: string; readonly recipient: string },
): Proved {
  if (weakSignature.test(profile.getSamlResponseXml?.() ?? ""))
    throw new LoginFailed("The identity provider signs with SHA-1; have it use SHA-256.");
  const document = z.object({ Assertion: assertion }).safeParse(profile.getAssertion?.());
  if (!document.success)
    throw new LoginFailed("The identity provider's assertion lacks what a login needs.", {
      cause: document.error,
    });
  const { $: about, Issuer, Subject, AuthnStatement } = document.data.Assertion;
  if (Issuer[0]._ !== expected.issuer)
    throw new LoginFailed("The assertion is by another identity provider than the one that was asked.");
  const confirmation = Subject[0].SubjectConfirmation.find(
    ({ $, SubjectConfirmationData }) => $.Method === bearer && SubjectConfirmationData !== undefined,
  )?.SubjectConfirmationData?.[0].$;
  if (confirmation?.Recipient !== expected.recipient)
    throw new LoginFailed("The assertion is for another recipient, or answers no request.");
  // The library took any confirmation that is current; the one that is believed here has to be.
  if (!(Date.parse(confirmation.NotOnOrAfter) + 30_000 > Date.now()))
    throw new LoginFailed("The assertion has expired.");
  const [statement] = AuthnStatement;
  const nameId = Subject[0].NameID?.[0];
  return {
    assertionId: about.ID,
    inResponseTo: confirmation.InResponseTo,
    nameId: nameId && { value: nameId._, format: nameId.$?.Format },
    attributes: attributesOf(profile),
    authnInstant: statement?.$.AuthnInstant ?? "",
    context: statement?.AuthnContext?.[0]?.AuthnContextClassRef?.[0]?._,
    sessionIndex: statement?.$.SessionIndex,
  };
}

/** The login that an assertion proves. Errors: LoginFailed, GroupsIncomplete. */
export function loginOf(provider: SamlProvider, proved: Proved): Login {
  const { attributes, nameId, authnInstant, context } = proved;
  const { subjectAttribute } = provider;
  const subject = subjectAttribute === undefined ? nameId?.value : attributes[subjectAttribute];
  if (typeof subject !== "string" || subject === "")
    throw new LoginFailed("The identity provider did not say who the person is.");
  if (subjectAttribute === undefined && nameId?.format === transient)
    throw new LoginFailed(
      "The identity provider gives people another name at every login; set `subjectAttribute` for it, or have it send a persistent NameID.",
    );
  return {
    principal: principalOf({
      kind: "human",
      provider: provider.id,
      subject,
      groups: groupsIn(attributes, provider.groupsAttribute, provider.groupNames),
      name: attributes[provider.nameAttribute],
      email: attributes[provider.emailAttribute],
    }),
    authentication: authenticationOf(
      provider.id,
      { acr: context, auth_time: Math.floor(Date.parse(authnInstant) / 1_000) },
      provider.mfaContexts,
    ),
  };
}

/** Attribute names are URIs more often than not, so a JSON Pointer into them makes no sense: they are taken by name. */
const attributesOf = (profile: Profile): Claims =>
  z.record(z.string(), z.unknown()).catch({}).parse(profile["attributes"]);
