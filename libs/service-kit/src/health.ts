/** What has to hold for the service to be ready; each check answers undefined, or why not. */
export type Check = () => Promise<string | undefined> | string | undefined;

const checkMsMax = 2_000;

/** The named checks behind `/readyz`. */
export class Health {
  readonly #checks = new Map<string, Check>();
  readonly #details = new Set<string>();

  /** A check that is not `required` is told along with the others, and does not make the service unready. */
  register(name: string, check: Check, { required } = { required: true }): void {
    this.#checks.set(name, check);
    if (required) this.#details.delete(name);
    else this.#details.add(name);
  }

  /** Runs every check; a check that throws or takes too long counts as failed. */
  async report(): Promise<{ ready: boolean; checks: Record<string, string> }> {
    const entries = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await outcomeOf(check)] as const),
    );
    return {
      ready: entries.every(([name, outcome]) => outcome === "ok" || this.#details.has(name)),
      checks: Object.fromEntries(entries),
    };
  }
}

async function outcomeOf(check: Check): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, checkMsMax, `no answer within ${checkMsMax} ms`);
  });
  try {
    return await Promise.race([Promise.resolve(check()).then((problem) => problem ?? "ok"), late]);
  } catch {
    return "failed";
  } finally {
    clearTimeout(timer);
  }
}
