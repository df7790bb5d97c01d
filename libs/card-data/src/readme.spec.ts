import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import * as api from "./index.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  it("shows what its example gives", () => {
    const input = /scanJson\('(.+)', \{/.exec(readme)?.[1] ?? "";
    const { masked, withoutSad } = api.scanJson(input, { policy: api.BUILT_IN_POLICY });
    expect(readme).toContain(`// masked      ${masked}\n`);
    expect(readme).toContain(`// withoutSad  ${withoutSad}\n`);
  });

  it("names everything that is exported", () => {
    const { JSON_DEPTH_MAX: _, ...names } = api;
    for (const name of Object.keys(names)) expect(readme).toContain(`\`${name}`);
    expect(readme).toContain(`(${api.JSON_DEPTH_MAX} levels)`);
  });
});
