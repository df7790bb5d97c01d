import { expect, it } from "vitest";
import { printable } from "./printable.js";

it("shows characters that would act on the terminal, and leaves the others as they are", () => {
  expect(printable("\u001b[2J\rproven\u202e\n")).toBe(String.raw`\u{1b}[2J\u{d}proven\u{202e}\u{a}`);
  expect(printable("café 漢字 😀")).toBe("café 漢字 😀");
});
