import { Injectable } from "@nestjs/common";
import type {
  AccessTokenIssued,
  AuthenticationFailed,
  ClientRegistered,
  EventOn,
  PrincipalAuthenticated,
} from "@countersign/contracts";
import { Clock, EventLog } from "@countersign/service-kit";

type IdentityEvent = EventOn<"identity.events">;
type Fact = { [E in IdentityEvent as E["type"]]: Pick<E, "type" | "data"> }[IdentityEvent["type"]];

/** Writes what this service witnesses. Each resolves only once it is durable; without evidence nothing goes on. */
@Injectable()
export class IdentityEvents {
  constructor(
    private readonly eventLog: EventLog,
    private readonly clock: Clock,
  ) {}

  principalAuthenticated(data: PrincipalAuthenticated): Promise<void> {
    return this.#append(data.principal.id, { type: "PrincipalAuthenticated", data });
  }

  authenticationFailed(data: AuthenticationFailed): Promise<void> {
    return this.#append(data.provider ?? "unknown", { type: "AuthenticationFailed", data });
  }

  clientRegistered(data: ClientRegistered): Promise<void> {
    return this.#append(data.client.id, { type: "ClientRegistered", data });
  }

  accessTokenIssued(data: AccessTokenIssued): Promise<void> {
    return this.#append(data.principalId, { type: "AccessTokenIssued", data });
  }

  async #append(subject: string, fact: Fact): Promise<void> {
    await this.eventLog.append({
      topic: "identity.events",
      event: {
        id: this.clock.newId(),
        source: "identity",
        subject,
        time: this.clock.now().toISOString(),
        ...fact,
      },
    });
  }
}
