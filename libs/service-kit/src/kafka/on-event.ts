import { EventPattern } from "@nestjs/microservices";
import type { EventMessage, EventOn, TopicName, topics } from "@countersign/contracts";
import type { EntityManager } from "typeorm";

type TypeOn<N extends TopicName> = (typeof topics)[N]["messages"][number]["type"];

/** A method's descriptor, of which only the method itself matters; it may leave the context out. */
interface Handler<N extends TopicName, T extends string> {
  readonly value?: (event: Extract<EventOn<N>, { type: T }>, context: EventContext) => Promise<void> | void;
}

/**
 * Names the handler of one type on one topic: `@OnEvent("session.events", "SessionGranted")` over
 * `apply(@Payload() event, @Ctx() context)`. The compiler checks the handler against the contract.
 */
export const OnEvent =
  <N extends TopicName, T extends TypeOn<N>>(topic: N, type: T) =>
  (target: object, key: string | symbol, descriptor: Handler<N, T>): void => {
    const decorate = EventPattern(patternOf(topic, type)) as MethodDecorator;
    decorate(target, key, descriptor);
  };

export const patternOf = (topic: TopicName, type: string): string => `${topic}/${type}`;

/** What a handler gets beside the event. */
export interface EventContext {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: string;
  /** The transaction that also stores the offset; only in durable subscriptions. */
  readonly manager?: EntityManager;
}

/** A message as a batch handler gets it: read, or named by why it could not be. */
export interface Delivery extends EventContext {
  readonly event?: EventMessage;
  readonly problem?: { readonly reason: string; readonly detail: string };
  readonly value: Buffer | null;
}
