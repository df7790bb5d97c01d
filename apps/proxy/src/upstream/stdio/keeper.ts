import { type ChildProcess, spawn } from "node:child_process";

/**
 * Keeps the ids of the process groups that run, and kills them when its input ends: that is when the gateway ended, even
 * where the gateway had no moment to do so itself.
 */
const script = `
groups=""
while read -r verb group; do
  rest=""
  for known in $groups; do [ "$known" = "$group" ] || rest="$rest $known"; done
  groups="$rest"
  if [ "$verb" = add ]; then groups="$groups $group"; fi
done
[ -n "$groups" ] || exit 0
for group in $groups; do kill -TERM "-$group" 2>/dev/null; done
sleep 1
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
`;

/** Outlives the gateway by a moment, so that no server of a gateway that crashed does. One shell for all of them. */
export class Keeper {
  #shell: ChildProcess | undefined;
  readonly #groups = new Set<number>();

  add(group: number): void {
    this.#groups.add(group);
    if (this.#shell) this.#tell(`add ${group}\n`);
    else this.#start();
  }

  remove(group: number): void {
    this.#groups.delete(group);
    this.#tell(`remove ${group}\n`);
  }

  /** To be called when no group is left. */
  close(): void {
    this.#shell?.stdin?.end();
    this.#shell = undefined;
  }

  #start(): void {
    // In a group of its own, so that a Ctrl-C which ends the gateway does not end the keeper before its work.
    const shell = spawn("/bin/sh", ["-c", script], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env: { PATH: "/usr/bin:/bin" },
      cwd: "/",
    });
    this.#shell = shell;
    const lost = (): void => {
      if (this.#shell !== shell) return;
      this.#shell = undefined;
      if (this.#groups.size > 0) setTimeout(() => this.#startAgain(), startAgainMs).unref();
    };
    shell.on("error", lost).on("exit", lost);
    shell.stdin?.on("error", () => undefined);
    shell.unref();
    const input: unknown = shell.stdin;
    if (hasUnref(input)) input.unref();
    for (const group of this.#groups) this.#tell(`add ${group}\n`);
  }

  #startAgain(): void {
    if (!this.#shell && this.#groups.size > 0) this.#start();
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(line);
  }
}

const startAgainMs = 1_000;

/** A pipe is a socket to Node; its type does not say so. */
const hasUnref = (value: unknown): value is { unref(): void } =>
  typeof value === "object" && value !== null && "unref" in value && typeof value.unref === "function";
