import { Clock, createLogger, type Entry, type EventLog, LogUnavailable } from "@countersign/service-kit";
import { describe, expect, it } from "vitest";
import { Recorder } from "./recorder.js";

describe("a recorder that has stopped", () => {
  it("writes nothing behind its last record, so that what asks for one is refused", async () => {
    const written: Entry[] = [];
    const eventLog = {
      onAppendFailed: () => undefined,
      appendMade: (make: () => Entry[]) => Promise.resolve(void written.push(...make())),
    } as unknown as EventLog;
    const log = createLogger("test", "silent");
    const recorder = new Recorder({ id: "test", eventLog, clock: new Clock(), log });
    await recorder.start();
    await recorder.stop();
    const late = { type: "RecorderStopped" as const, subject: "test", data: {} };
    await expect(recorder.record([late])).rejects.toThrow(LogUnavailable);
    recorder.recordEventually(late);
    await Promise.resolve();
    expect(written.map(({ event }) => event.type)).toEqual(["RecorderStarted", "RecorderStopped"]);
  });
});
