import { id } from "@countersign/contracts";
import { expect, it } from "vitest";
import { idOfPlace } from "./place-id.js";

const place = { topic: "mcp.traffic", partition: 0, offset: "17" };

it("the same place has the same id, and it is a UUID", () => {
  expect(idOfPlace(place)).toBe(idOfPlace({ ...place }));
  expect(id.parse(idOfPlace(place))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/);
});

it("another place has another id", () => {
  const ids = [
    place,
    { ...place, offset: "18" },
    { ...place, partition: 1, offset: "7" },
    { ...place, topic: "mcp.originals" },
  ].map(idOfPlace);
  expect(new Set(ids).size).toBe(4);
});
