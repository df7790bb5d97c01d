/** Resolves once it holds; fails where it does not within a bound. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  msMax = 20_000,
): Promise<void> {
  const deadline = Date.now() + msMax;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${msMax} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
