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

/** One call as the fake received it, in order, answered or not. */
export type Call =
  | { readonly method: "decide"; readonly request: DecideRequest }
  | { readonly method: "phoneHome"; readonly request: PhoneHome }
  | { readonly method: "report"; readonly request: readonly BootEvent[]; readonly position?: FeedPosition }
  | { readonly method: "feedPosition" };

/**
 * The API service in memory: answers what the test set, remembers what it was asked, and goes away when told. Like the
 * real one it stores an event once, however often it is reported.
 */
export class FakeApi implements Api {
  readonly calls: Call[] = [];
  /** Events by id, in the order first reported. */
  readonly events = new Map<string, BootEvent>();
  readonly phonedHome: PhoneHome[] = [];
  /** While true every call rejects with `ApiUnavailable`. */
  down = false;
  position: FeedPosition | undefined;
  state: MachineState = "ready";
  private readonly decisions = new Map<string, Partial<Decision> | "unknown">();
  private otherwise: Partial<Decision> | "unknown" = {};

  /** What the machine behind this MAC is to do from now on; what is left out is as in `decision()`. */
  decides(mac: string, decision: Partial<Decision> | "unknown"): this {
    this.decisions.set(mac, decision);
    return this;
  }

  /** What every other machine is to do: discover, unless told otherwise. */
  decidesOtherwise(decision: Partial<Decision> | "unknown"): this {
    this.otherwise = decision;
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
    const known = this.decisions.get(mac) ?? this.otherwise;
    if (known === "unknown") throw new UnknownMachine(`no machine with MAC ${mac}`);
    return known;
  }

  private async answer<T>(make: () => T): Promise<T> {
    if (this.down) throw new ApiUnavailable("the fake API is down");
    return make();
  }
}

/** A whole decision for the machine behind `mac`: discover as a host, with a token of its own, unless told otherwise. */
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

/** Keeps what it is told, in order; nothing is ever left to send. */
export class FakeReporter implements Reporter {
  readonly told: NewEvent[] = [];

  tell(event: NewEvent): void {
    this.told.push(event);
  }

  flush(): Promise<number> {
    return Promise.resolve(0);
  }

  /** What was told of one kind. */
  of(kind: BootEvent["kind"]): NewEvent[] {
    return this.told.filter((event) => event.kind === kind);
  }
}
