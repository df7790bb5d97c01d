/** The claims of a verified token, or the attributes of a verified assertion. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The claim that a configuration names: by its plain name, or by a JSON Pointer (RFC 6901) where it lies inside another
 * one, such as `/realm_access/roles`. Undefined where it is absent.
 */
export function claimAt(claims: Claims, path: string): unknown {
  return partsOf(path).reduce<unknown>((value, part) => ownValue(value, part), claims);
}

/** The name of the claim itself that a path leads into. */
export const outermost = (path: string): string => partsOf(path)[0] ?? path;

const partsOf = (path: string): string[] =>
  path.startsWith("/")
    ? path
        .slice(1)
        .split("/")
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    : [path];

const ownValue = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? (value as Claims)[key]
    : undefined;
