import { describe, expect, it } from "vitest";
import { Seals } from "./seals.js";

const seals = new Seals("0123456789abcdef0123456789abcdef");

describe("a seal", () => {
  it("opens only for its own purpose, with its own secret and unaltered", () => {
    const sealed = seals.seal("form", { uid: "a" });
    const [body = "", signature = ""] = sealed.split(".");
    const other = Buffer.from(JSON.stringify({ uid: "b" })).toString("base64url");
    expect(seals.open("login", sealed)).toBeUndefined();
    expect(new Seals("another secret, as long as the first").open("form", sealed)).toBeUndefined();
    for (const forged of [`${other}.${signature}`, body, `${body}.`, `${sealed}.x`, "", "..", undefined, 7]) {
      expect(seals.open("form", forged)).toBeUndefined();
    }
    expect(seals.open("form", sealed)).toEqual({ uid: "a" });
  });

  it("has a key of its own for each purpose", () => {
    expect(seals.keyFor("cookies")).not.toBe(seals.keyFor("form"));
    expect(seals.keyFor("cookies")).toBe(new Seals("0123456789abcdef0123456789abcdef").keyFor("cookies"));
  });
});
