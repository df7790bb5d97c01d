import { dirname, posix } from "node:path";
import { importsOf, manifestsOf, sourcesOf, type Tree } from "./tree.js";

/** Rings of files that import each other, each named once by the shortest way around from its first file. */
export function importCycles(tree: Tree): string[] {
  const graph = new Map(sourcesOf(tree).map((path) => [path, filesImportedBy(tree, path)]));
  const rings = new Map<string, string>();
  for (const start of graph.keys()) {
    const ring = shortestWayBack(graph, start);
    if (!ring) continue;
    const name = ring.toSorted((a, b) => a.localeCompare(b)).join();
    if (!rings.has(name)) rings.set(name, [...ring, start].join(" → "));
  }
  return [...rings.values()];
}

function filesImportedBy(tree: Tree, path: string): string[] {
  const entries = new Map(manifestsOf(tree).map(({ name, folder }) => [name, `${folder}src/index.ts`]));
  return importsOf(tree.get(path) ?? "").flatMap((specifier) => {
    const target = specifier.startsWith(".")
      ? posix.join(dirname(path), specifier).replace(/\.js(x?)$/, ".ts$1")
      : (entries.get(specifier) ?? "");
    return [target, target.replace(/\.ts$/, ".tsx")].filter((file) => tree.has(file)).slice(0, 1);
  });
}

function shortestWayBack(graph: ReadonlyMap<string, readonly string[]>, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return wayTo(file, cameFrom, start);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  return undefined;
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string>, start: string): string[] {
  const way: string[] = [];
  for (let file: string | undefined = end; file !== undefined && file !== start; file = cameFrom.get(file)) {
    way.unshift(file);
  }
  return [start, ...way];
}
