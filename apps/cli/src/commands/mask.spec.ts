import { CountersignError } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { mask, maskCommand, type MaskOptions } from "./mask.js";

async function* bytes(text: string | Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text as string);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

async function run(input: string | Uint8Array, options: MaskOptions = {}, size?: number) {
  let output = "";
  let error: unknown;
  try {
    await mask(bytes(input, size), options, async (text) => void (output += text));
  } catch (thrown) {
    error = thrown;
  }
  return { output, code: error instanceof CountersignError ? error.code : undefined, error };
}

const CARD = "4111111111111111";

describe("countersign mask", () => {
  it("writes nothing in clear where --json meets what is no JSON", async () => {
    const { output, code, error } = await run(`{"pan":"${CARD}"`, { json: true });
    expect({ output, code }).toEqual({ output: "", code: "malformed_json" });
    expect(String(error)).not.toContain("4111");
    expect(await run(`{"a":1,"a":"${CARD}"}`, { json: true })).toMatchObject({
      output: "",
      code: "duplicate_key",
    });
  });

  it("refuses text of an encoding in which no card would be seen", async () => {
    expect(await run(Buffer.from(CARD, "utf16le"))).toMatchObject({ output: "", code: "input_not_text" });
  });

  it("masks around bytes that are no UTF-8", async () => {
    const latin1 = Buffer.from(`caf\u00e9 ${CARD}`, "latin1");
    expect((await run(latin1)).output).toBe("caf\ufffd 411111******1111");
  });

  it("reads UTF-16 with a byte order mark", async () => {
    const { output } = await run(Buffer.from(`\ufeffcard ${CARD}`, "utf16le"));
    expect(output).toBe("\ufeffcard 411111******1111");
  });

  it("masks JSON and leaves the rest of its bytes", async () => {
    const { output } = await run(`{ "pan" : ${CARD}, "n": 1.10 }\n`);
    expect(output).toBe('{ "pan" : "411111******1111", "n": 1.10 }\n');
  });

  it.each([1, 3, 1000])("masks text whose bytes come %i at a time", async (size) => {
    const { output } = await run(`café ${CARD}, ٤١١١١١١١١١١١١١١١, cvv 123`, {}, size);
    expect(output).toBe("café 411111******1111, ٤١١١١١******١١١١, cvv ***");
  });

  it("masks what begins like JSON and is none, and JSON that names a key twice, as text", async () => {
    expect((await run(`[INFO] ${CARD}`)).output).toBe("[INFO] 411111******1111");
    expect((await run(`{"a":1,"a":"${CARD}"}`)).output).toBe('{"a":1,"a":"411111******1111"}');
    expect((await run(`{"cvv":"123"}\n{"pan":"${CARD}"}\n`)).output).toBe(
      '{"cvv":"***"}\n{"pan":"411111******1111"}\n',
    );
    expect((await run(`${CARD} ${CARD}`)).output).toBe("411111******1111 411111******1111");
  });

  it("leaves nothing out where the first bytes alone would be JSON", async () => {
    expect((await run(`null ${CARD}`, {}, 4)).output).toBe("null 411111******1111");
    expect((await run(`${CARD}\n`)).output).toBe("411111******1111\n");
  });

  it("reports where something was found, and no digit of it", async () => {
    const { output } = await run(`{"${CARD}":[{"pan":"no. ${CARD}","cvv":"123"}]}`, { report: true });
    expect(
      output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { kind: "pan", brand: "visa", path: "/411111******1111", start: 0, end: 16, rule: "pan.range@key" },
      { kind: "pan", brand: "visa", path: "/411111******1111/0/pan", start: 4, end: 20, rule: "pan.range" },
      { kind: "cvv", path: "/411111******1111/0/cvv", start: 0, end: 3, rule: "cvv.key" },
    ]);
    expect((await run(`see ${CARD}`, { report: true })).output).toBe(
      '{"kind":"pan","brand":"visa","path":"","start":4,"end":20,"rule":"pan.range"}\n',
    );
  });

  it("writes nothing for nothing", async () => {
    expect(await run("")).toMatchObject({ output: "", error: undefined });
    expect(await run("", { json: true })).toMatchObject({ output: "", code: "malformed_json" });
  });

  it("does not take both kinds of input for granted", async () => {
    const command = maskCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    await expect(command.parseAsync(["--json", "--text"], { from: "user" })).rejects.toMatchObject({
      code: "commander.conflictingOption",
    });
  });

  it("says so where a file cannot be read", async () => {
    await expect(maskCommand().parseAsync(["/nowhere/input.json"], { from: "user" })).rejects.toMatchObject({
      code: "input_unreadable",
    });
  });
});
