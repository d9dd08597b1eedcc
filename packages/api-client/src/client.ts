import { type Client, type ServiceError, status } from "@grpc/grpc-js";
import {
  type Api,
  ApiUnavailable,
  type BootEvent,
  type Decision,
  type DecideRequest,
  type FeedPosition,
  type PhoneHome,
  UnknownMachine,
} from "./api.ts";
import { BootService } from "./gen/firstlight/v1/boot_pb.js";
import { EventService } from "./gen/firstlight/v1/event_pb.js";
import { ACTIONS, ARCHES, eventToWire, STATES, wordOf } from "./codec.ts";
import { methodsOf } from "./methods.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

/** All in, retries included. Every method is idempotent: Decide reads, Report has ids, a second phone-home moves nothing. */
const LIMITS = {
  decide: { deadlineMs: 2_000, attempts: 3 },
  phoneHome: { deadlineMs: 5_000, attempts: 4 },
  report: { deadlineMs: 5_000, attempts: 1 }, // the spool tries again by itself
  feedPosition: { deadlineMs: 2_000, attempts: 2 },
} as const;

/** Each method for itself: a report does not wait behind ten thousand machines that ask what to boot. */
const CONCURRENCY = { most: 64, mostWaiting: 8192, maxWaitMs: 8_000 } as const;
const FIRST_PAUSE_MS = 50;

/** Statuses that a second attempt cannot change: the server has understood and said no. */
const REFUSALS = new Set<number>([
  status.INVALID_ARGUMENT,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
  status.OUT_OF_RANGE,
  status.RESOURCE_EXHAUSTED,
]);

/** The boot path's view of the API over one channel. Fails fast while the API is away. */
export function createApi(client: Client): Api {
  const boot = methodsOf(BootService, client);
  const event = methodsOf(EventService, client);
  const call = caller();
  return {
    decide: (request) =>
      call("decide", async (deadlineMs) => decisionFrom(await boot.decide(decideToWire(request), { deadlineMs }))),
    phoneHome: (request) =>
      call("phoneHome", async (deadlineMs) => {
        const answer = await boot.phoneHome(phoneHomeToWire(request), { deadlineMs });
        return { machineId: answer.machineId, state: known(wordOf(STATES, answer.state), "machine state") };
      }),
    report: (events: readonly BootEvent[], position?: FeedPosition) =>
      call("report", async (deadlineMs) => {
        const at = position && { position: { epoch: position.epoch, position: BigInt(position.position) } };
        await event.report({ events: events.map(eventToWire), ...at }, { deadlineMs });
      }),
    feedPosition: () =>
      call("feedPosition", async (deadlineMs) => {
        const { position } = await event.getFeedPosition({}, { deadlineMs });
        return position && { epoch: position.epoch, position: Number(position.position) };
      }),
  };
}

/** Whether the API has understood the call and will say no again: such a batch must not be repeated as it is. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiUnavailable && REFUSALS.has((error.cause as ServiceError | undefined)?.code ?? -1);
}

/** Runs calls in turn and within their deadline, trying again only when the API could not be reached. */
function caller() {
  const limits = new Map<keyof typeof LIMITS, ConcurrencyLimit>();
  return function call<T>(method: keyof typeof LIMITS, attempt: (deadlineMs: number) => Promise<T>): Promise<T> {
    let limit = limits.get(method);
    if (limit === undefined) limits.set(method, (limit = new ConcurrencyLimit(CONCURRENCY)));
    return limit.run(method, () => attempts(method, attempt));
  };
}

async function attempts<T>(method: keyof typeof LIMITS, attempt: (deadlineMs: number) => Promise<T>): Promise<T> {
  const { deadlineMs, attempts: most } = LIMITS[method];
  const end = Date.now() + deadlineMs;
  for (let count = 1; ; count++) {
    try {
      return await attempt(end - Date.now());
    } catch (error) {
      const pauseMs = FIRST_PAUSE_MS * 2 ** count * (0.5 + Math.random());
      const isFinal =
        count >= most || Date.now() + pauseMs >= end || (error as ServiceError).code !== status.UNAVAILABLE;
      if (isFinal) throw meaning(method, error as ServiceError);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

function meaning(method: string, error: ServiceError): Error {
  const text = `${method}: ${error.details ?? error.message}`;
  if (error.code === status.NOT_FOUND) return new UnknownMachine(text, { cause: error });
  return new ApiUnavailable(text, { cause: error });
}

function decideToWire({ arch, trace, ...same }: DecideRequest) {
  return { ...same, ...(arch && { arch: ARCHES[arch] }), ...(trace && { trace }) };
}

function phoneHomeToWire({ detail, trace, ...same }: PhoneHome) {
  return { ...same, detail: { ...detail }, ...(trace && { trace }) };
}

function decisionFrom(
  answer: Awaited<ReturnType<ReturnType<typeof methodsOf<typeof BootService>>["decide"]>>,
): Decision {
  return {
    machineId: answer.machineId,
    machineName: answer.machineName,
    version: Number(answer.version),
    action: known(wordOf(ACTIONS, answer.action), "action"),
    role: answer.role,
    because: answer.because,
    reason: answer.reason,
    token: answer.token,
    ...(answer.script && { script: answer.script }),
    ...(answer.userData && { userData: answer.userData }),
  };
}

function known<T extends string>(word: T | undefined, what: string): T {
  if (word === undefined) throw new ApiUnavailable(`the API answered with a ${what} this daemon does not know`);
  return word;
}
