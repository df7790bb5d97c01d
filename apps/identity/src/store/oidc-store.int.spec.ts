import { randomUUID } from "node:crypto";
import { DataSource } from "typeorm";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createDatabase, type TestDatabase } from "@countersign/service-kit/testing";
import { identitySchema } from "../schema.js";
import { OidcStore, removeExpired } from "./oidc-store.js";

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  database = await createDatabase(inject("adminDatabaseUrl"), identitySchema);
  dataSource = await new DataSource({
    type: "postgres",
    url: database.url,
    installExtensions: false,
  }).initialize();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const storeOf = (model: string) => new OidcStore(dataSource, model);
const outcomes = (work: Promise<void>[]) =>
  Promise.allSettled(work).then((all) => all.filter(({ status }) => status === "fulfilled").length);

describe("what the authorization server remembers", () => {
  it("of a code is used up by one of many that come at once", async () => {
    const codes = storeOf("AuthorizationCode");
    const id = randomUUID();
    await codes.upsert(id, { kind: "AuthorizationCode", grantId: "g" }, 60);
    expect(await codes.find(id)).not.toHaveProperty("consumed");
    expect(await outcomes(Array.from({ length: 8 }, () => codes.consume(id)))).toBe(1);
    expect(await codes.find(id)).toMatchObject({ consumed: true });
  });

  it("of a refresh token lets one repetition pass, and only for seconds", async () => {
    const tokens = storeOf("RefreshToken");
    const [repeated, late] = [randomUUID(), randomUUID()];
    for (const id of [repeated, late]) {
      await tokens.upsert(id, { kind: "RefreshToken", grantId: "g" }, 60);
      await tokens.consume(id);
      expect(await tokens.find(id)).not.toHaveProperty("consumed");
    }
    expect(await outcomes(Array.from({ length: 8 }, () => tokens.consume(repeated)))).toBe(1);
    expect(await tokens.find(repeated)).toMatchObject({ consumed: true });
    await database.query("UPDATE identity.oidc_models SET consumed_at = consumed_at - interval '11 seconds'");
    expect(await tokens.find(late)).toMatchObject({ consumed: true });
  });

  it("is nothing once it has expired, and is then removed", async () => {
    const sessions = storeOf("Session");
    const [short, long] = [randomUUID(), randomUUID()];
    await sessions.upsert(short, { kind: "Session", uid: `${short}-uid` }, -120);
    await sessions.upsert(long, { kind: "Session", uid: `${long}-uid` }, 60);
    expect(await sessions.find(short)).toBeUndefined();
    expect(await sessions.findByUid(`${short}-uid`)).toBeUndefined();
    await removeExpired(dataSource);
    const rows = await database.query("SELECT 1 FROM identity.oidc_models WHERE model = 'Session'");
    expect(rows).toHaveLength(1);
    expect(await sessions.find(long)).toMatchObject({ jti: long });
  });

  it("comes back as it was, with the ids that are not stored", async () => {
    const interactions = storeOf("Interaction");
    const id = randomUUID();
    const payload = {
      kind: "Interaction" as const,
      jti: id,
      returnTo: `https://identity.example/authorize/${id}`,
      session: { accountId: "a", uid: "u", cookie: "secret" },
    };
    await interactions.upsert(id, payload, 60);
    expect(await interactions.find(id)).toEqual({ ...payload, session: { accountId: "a", uid: "u" } });
    expect(await storeOf("Session").find(id)).toBeUndefined();
    await interactions.destroy(id);
    expect(await interactions.find(id)).toBeUndefined();
  });

  it("of a grant is gone with it, in every model that asks", async () => {
    const [codes, tokens] = [storeOf("AuthorizationCode"), storeOf("RefreshToken")];
    await codes.upsert("c", { kind: "AuthorizationCode", grantId: "gone" }, 60);
    await tokens.upsert("t", { kind: "RefreshToken", grantId: "gone" }, 60);
    await tokens.upsert("other", { kind: "RefreshToken", grantId: "kept" }, 60);
    await codes.revokeByGrantId("gone");
    await tokens.revokeByGrantId("gone");
    expect(await codes.find("c")).toBeUndefined();
    expect(await tokens.find("t")).toBeUndefined();
    expect(await tokens.find("other")).toBeDefined();
  });

  it("of a client lasts as long as somebody uses it", async () => {
    const clients = storeOf("Client");
    await clients.upsert("client", { client_id: "client" });
    await database.query(
      "UPDATE identity.oidc_models SET expires_at = now() + interval '1 day' WHERE model = 'Client'",
    );
    expect(await clients.find("client")).toEqual({ client_id: "client" });
    const rows = await database.query(
      "SELECT 1 FROM identity.oidc_models WHERE model = 'Client' AND expires_at > now() + interval '89 days'",
    );
    expect(rows).toHaveLength(1);
  });
});
