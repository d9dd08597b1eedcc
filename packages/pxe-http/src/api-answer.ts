import { ApiUnavailable, isRefusal, UnknownMachine } from "@firstlight/api-client";
import { type Refused, refused } from "./reasons.ts";

/** The API's answer, or a refusal as a value: unknown machine, refused by the API, or API away. */
export async function apiAnswer<T>(question: Promise<T>): Promise<T | Refused> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof UnknownMachine) return refused("machine-unknown", error.message);
    if (isRefusal(error)) return refused("api-refused", (error as Error).message);
    if (error instanceof ApiUnavailable) return refused("api-away", error.message);
    throw error;
  }
}

export function isRefused(answer: unknown): answer is Refused {
  return typeof answer === "object" && answer !== null && "is" in answer && answer.is === "refused";
}
