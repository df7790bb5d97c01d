const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

export interface Interpolated {
  readonly text: string;
  /** Variables that are neither set nor given a default. */
  readonly missing: readonly string[];
}

/**
 * Fills in `${NAME}` and `${NAME:-default}` from the environment. As in a shell, an empty variable counts as one that
 * is not set. What was filled in is not looked at again.
 */
export const interpolate = (text: string, env: NodeJS.ProcessEnv): Interpolated => {
  const missing: string[] = [];
  const filled = text.replaceAll(reference, (_, name: string, fallback: string | undefined) => {
    const value = env[name] || fallback;
    if (value === undefined) missing.push(name);
    return value ?? "";
  });
  return { text: filled, missing };
};
