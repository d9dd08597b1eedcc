/** This engine cannot work on this machine or in this process; another one may. `message` says why. */
export class Unavailable extends Error {
  readonly code = "FL_UNAVAILABLE";
}
