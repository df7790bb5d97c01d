import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type { EventMessage, ToolChangeAccepted, ToolChanged, ToolPinned } from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { ToolBook } from "../tools/tool-book.js";

@Controller()
export class ToolsConsumer {
  constructor(private readonly book: ToolBook) {}

  @OnEvent("mcp.tools", "ToolPinned")
  pinned(@Payload() { data }: EventMessage<"ToolPinned", ToolPinned>): void {
    this.book.apply({ type: "ToolPinned", data });
  }

  @OnEvent("mcp.tools", "ToolChanged")
  changed(@Payload() { data }: EventMessage<"ToolChanged", ToolChanged>): void {
    this.book.apply({ type: "ToolChanged", data });
  }

  @OnEvent("policy.tools", "ToolChangeAccepted")
  accepted(@Payload() { data }: EventMessage<"ToolChangeAccepted", ToolChangeAccepted>): void {
    this.book.accept(data);
  }
}
