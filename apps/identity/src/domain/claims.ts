/** The claims of a verified token, or the attributes of a verified assertion. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The claim that a configuration names: by its plain name, or by a JSON Pointer (RFC 6901) where it lies inside another
 * one, such as `/realm_access/roles`. Undefined where it is absent.
 */
export function claimAt(claims: Claims, path: string): unknown {
  if (!path.startsWith("/")) return ownValue(claims, path);
  return path
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, part) => ownValue(value, part), claims);
}

const ownValue = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? (value as Claims)[key]
    : undefined;
