export const property = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null
    ? Object.getOwnPropertyDescriptor(value, key)?.value
    : undefined;

/** Where a configuration that was not checked yet says that its policies are. */
export const policiesPathOf = (value: unknown): string => {
  const policies = property(value, "policies");
  return typeof policies === "string" ? policies : "./policies";
};
