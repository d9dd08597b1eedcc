import {
  type Api,
  ApiUnavailable,
  type BootEvent,
  type Decision,
  type DecideRequest,
  type FeedPosition,
  type MachineState,
  type PhoneHome,
  type Reporter,
  type NewEvent,
  UnknownMachine,
} from "@firstlight/api-client";

/** One call that the fake received, whether it answered or not. */
export type Call =
  | { readonly method: "decide"; readonly request: DecideRequest }
  | { readonly method: "phoneHome"; readonly request: PhoneHome }
  | { readonly method: "report"; readonly request: readonly BootEvent[]; readonly position?: FeedPosition }
  | { readonly method: "feedPosition" };

/**
 * The API service in memory. It gives the answers that the test sets, keeps the calls, and can be made unreachable. Like the
 * real API it stores an event once, however often it is reported.
 */
export class FakeApi implements Api {
  /** All calls, in order. */
  readonly calls: Call[] = [];
  /** Events by id, in the order in which they were first reported. */
  readonly events = new Map<string, BootEvent>();
  /** Phone-homes that were accepted. */
  readonly phonedHome: PhoneHome[] = [];
  /** While true every call rejects with `ApiUnavailable`. */
  down = false;
  /** The feed's position that was reported last. */
  position: FeedPosition | undefined;
  /** The machine's state in the answer to a phone-home. */
  state: MachineState = "ready";
  private readonly decisions = new Map<string, Partial<Decision> | "unknown">();

  /** Sets the decision for this MAC from now on, `unknown` for a machine that the API does not know. Missing fields are those of `decision()`. */
  decides(mac: string, decision: Partial<Decision> | "unknown"): this {
    this.decisions.set(mac, decision);
    return this;
  }

  decide(request: DecideRequest): Promise<Decision> {
    this.calls.push({ method: "decide", request });
    return this.answer(() => decision(request.mac, this.known(request.mac)));
  }

  phoneHome(request: PhoneHome): Promise<{ machineId: string; state: MachineState }> {
    this.calls.push({ method: "phoneHome", request });
    return this.answer(() => {
      const { machineId } = decision(request.mac, this.known(request.mac));
      this.phonedHome.push(request);
      return { machineId, state: this.state };
    });
  }

  report(events: readonly BootEvent[], position?: FeedPosition): Promise<void> {
    this.calls.push({ method: "report", request: [...events], ...(position && { position }) });
    return this.answer(() => {
      for (const event of events) if (!this.events.has(event.id)) this.events.set(event.id, event);
      if (position) this.position = position;
    });
  }

  feedPosition(): Promise<FeedPosition | undefined> {
    this.calls.push({ method: "feedPosition" });
    return this.answer(() => this.position);
  }

  private known(mac: string): Partial<Decision> {
    const known = this.decisions.get(mac) ?? {};
    if (known === "unknown") throw new UnknownMachine(`no machine with MAC ${mac}`);
    return known;
  }

  private async answer<T>(make: () => T): Promise<T> {
    if (this.down) throw new ApiUnavailable("the fake API is down");
    return make();
  }
}

/** A complete decision for the machine with this MAC. Fields that `set` does not have: discover, role host, a token of its own. */
export function decision(mac: string, set: Partial<Decision> = {}): Decision {
  const name = `m-${mac.replaceAll(":", "")}`;
  return {
    machineId: `id-of-${name}`,
    machineName: name,
    version: 1,
    action: "discover",
    role: "host",
    because: "the machine is new",
    reason: "new-machine",
    token: `token-of-${name}`,
    ...set,
  };
}

/** A reporter that keeps all events, in order. `flush` never leaves one unsent. */
export class FakeReporter implements Reporter {
  readonly reported: NewEvent[] = [];

  report(event: NewEvent): void {
    this.reported.push(event);
  }

  flush(): Promise<number> {
    return Promise.resolve(0);
  }

  /** The reported events of one kind. */
  of(kind: BootEvent["kind"]): NewEvent[] {
    return this.reported.filter((event) => event.kind === kind);
  }
}
