import {
  type DetailedError,
  checkParsePolicySet,
  checkParseSchema,
  validate,
} from "@cedar-policy/cedar-wasm/nodejs";
import { argumentTypesOf } from "./argument-types.js";
import { type EntityReference, entityReferencesOf } from "./entity-references.js";
import { gatewayId } from "./cedar-request.js";
import { nearest } from "./nearest.js";
import { type NamedPolicy, type PolicyFile, policiesIn } from "./policy-files.js";
import { schemaMismatches } from "./schema-contract.js";

export const schemaFile = "schema.cedarschema";

export interface PolicyProblem {
  readonly file: string;
  /** Counted from one. */
  readonly line?: number;
  readonly message: string;
  readonly fix: string;
}

export interface PolicySources {
  readonly policies: readonly PolicyFile[];
  readonly schema: string;
  /** Where given, a policy that names another endpoint is a problem: it could never apply. */
  readonly endpoints?: readonly string[];
}

/**
 * Everything that is wrong with a set of policies, all of it at once; empty where they may be published. Cedar's
 * validator does the work, and its warnings count: a policy that can never apply is a mistake.
 */
export const checkPolicies = ({ policies, schema, endpoints }: PolicySources): PolicyProblem[] => {
  const inSchema = schemaProblems(schema);
  const parsed = policies.map((file) => ({ file, problems: parseProblems(file) }));
  const readable = parsed.filter(({ problems }) => problems.length === 0).map(({ file }) => file);
  return [
    ...inSchema,
    ...parsed.flatMap(({ problems }) => problems),
    ...(inSchema.length === 0 ? readable.flatMap((file) => validationProblems(file, schema)) : []),
    ...doubledNames(readable),
    ...readable.flatMap((file) => unknownNames(file, endpoints)),
  ];
};

const schemaProblems = (schema: string): PolicyProblem[] => {
  const answer = checkParseSchema(schema);
  if (answer.type === "failure") return answer.errors.map((error) => problemOf(schemaFile, schema, error));
  try {
    argumentTypesOf(schema);
  } catch (error) {
    const message = error instanceof Error ? error.message : "the schema cannot be read";
    return [
      {
        file: schemaFile,
        message,
        fix: "Declare `type Arguments = { amount_cents?: Long, … };` with Long, String, Bool, decimal, Set or records.",
      },
    ];
  }
  return schemaMismatches(schema).map((message) => ({
    file: schemaFile,
    message,
    fix: "Restore that part of the schema; only `Arguments` is yours to change, and each of its fields ends in `?`.",
  }));
};

const parseProblems = ({ file, text }: PolicyFile): PolicyProblem[] => {
  const answer = checkParsePolicySet({ staticPolicies: text });
  if (answer.type === "failure") return answer.errors.map((error) => problemOf(file, text, error));
  try {
    policiesIn({ file, text });
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : "the file cannot be read";
    return [{ file, message, fix: "Write each policy out in full, without `?principal` and `?resource`." }];
  }
};

const validationProblems = ({ file, text }: PolicyFile, schema: string): PolicyProblem[] => {
  const answer = validate({ schema, policies: { staticPolicies: text } });
  if (answer.type === "failure") return answer.errors.map((error) => problemOf(file, text, error));
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) =>
    problemOf(file, text, error),
  );
};

const doubledNames = (files: readonly PolicyFile[]): PolicyProblem[] => {
  const seen = new Map<string, NamedPolicy>();
  const problems: PolicyProblem[] = [];
  for (const policy of files.flatMap(policiesIn)) {
    const earlier = seen.get(policy.name);
    if (earlier)
      problems.push({
        file: policy.file,
        message: `two policies are called "${policy.name}"; the other one is in ${earlier.file}`,
        fix: "Give each policy an `@id` of its own, because records name policies by it.",
      });
    else seen.set(policy.name, policy);
  }
  return problems;
};

/** Cedar cannot know which endpoints exist, so it would take a misspelt one for one that is never asked about. */
const unknownNames = (file: PolicyFile, endpoints: readonly string[] | undefined): PolicyProblem[] =>
  policiesIn(file)
    .flatMap(({ json }) => entityReferencesOf(json))
    .flatMap((reference) => {
      const known = knownNames(reference, endpoints);
      if (!known || known.names.includes(known.name)) return [];
      const suggestion = nearest(known.name, known.names);
      const line = lineOfText(file.text, JSON.stringify(reference.id));
      return [
        {
          file: file.file,
          ...(line === undefined ? {} : { line }),
          message: `${reference.type}::${JSON.stringify(reference.id)} names ${known.what} that does not exist`,
          fix: suggestion
            ? `Write ${JSON.stringify(suggestion)}.`
            : `Use one of ${known.names.join(", ")}, or add it to countersign.yaml.`,
        },
      ];
    });

const knownNames = ({ type, id }: EntityReference, endpoints: readonly string[] | undefined) => {
  if (type === "Gateway") return { what: "a gateway", name: id, names: [gatewayId] };
  if (!endpoints) return undefined;
  if (type === "Endpoint") return { what: "an endpoint", name: id, names: endpoints };
  if (["Tool", "Resource", "Prompt", "Method"].includes(type))
    return { what: "an endpoint", name: id.split("/", 1)[0] ?? "", names: endpoints };
  return undefined;
};

const problemOf = (file: string, text: string, error: DetailedError): PolicyProblem => {
  const location = error.sourceLocations?.[0];
  return {
    file,
    ...(location ? { line: lineAtByte(text, location.start) } : {}),
    // The number that Cedar gives a policy means nothing to a reader who has the line.
    message: error.message.replace(/^for policy `policy\d+`, /, ""),
    fix: error.help ?? location?.label ?? "See https://docs.cedarpolicy.com/policies/syntax-grammar.html.",
  };
};

/** Cedar counts in bytes of UTF-8. */
const lineAtByte = (text: string, start: number): number =>
  Buffer.from(text, "utf8").subarray(0, start).toString("utf8").split("\n").length;

const lineOfText = (text: string, part: string): number | undefined => {
  const at = text.indexOf(part);
  return at === -1 ? undefined : text.slice(0, at).split("\n").length;
};
