/** A `.cpuprofile` as V8 writes it: nodes of a call tree, and which node each sample fell on. Times in microseconds. */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** A function in its callers: microseconds of its own, and with all that it called. */
export interface Frame {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  selfUs: number;
  totalUs: number;
  readonly callees: Map<string, Frame>;
}

export interface Window {
  /** Of the system's monotonic clock, as `process.hrtime` tells it. */
  readonly fromUs: number;
  readonly toUs: number;
}

/** Waiting is no work, and the root is the frame that holds all others. */
const NO_WORK: ReadonlySet<string> = new Set(["(idle)"]);

/** Adds what the samples within the window fell on to `root`: several threads, or several profiles, in one tree. */
export function fold(profile: Profile, { fromUs, toUs }: Window, root: Frame = frame("all", "", 0)): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const callers = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const stacks = new Map<number, readonly ProfileNode[]>();
  let at = profile.startTime;
  for (const [n, id] of profile.samples.entries()) {
    const tookUs = profile.timeDeltas[n + 1] ?? 0; // a delta is the time before its sample: a sample lasts until the next
    at += profile.timeDeltas[n] ?? 0;
    if (at < fromUs || at > toUs) continue;
    const stack = stacks.get(id) ?? stackOf(id, nodes, callers);
    stacks.set(id, stack);
    if (!stack.some(({ callFrame }) => NO_WORK.has(callFrame.functionName))) add(root, stack, Math.max(0, tookUs));
  }
  return root;
}

/** The nodes from below the root to this one. */
function stackOf(
  id: number,
  nodes: ReadonlyMap<number, ProfileNode>,
  callers: ReadonlyMap<number, number>,
): readonly ProfileNode[] {
  const stack: ProfileNode[] = [];
  for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
    const node = nodes.get(at);
    if (node !== undefined && node.callFrame.functionName !== "(root)") stack.unshift(node);
  }
  return stack;
}

function add(root: Frame, stack: readonly ProfileNode[], tookUs: number): void {
  let at = root;
  at.totalUs += tookUs;
  for (const { callFrame } of stack) {
    const { functionName, url, lineNumber } = callFrame;
    const key = `${functionName} ${url} ${lineNumber}`;
    const callee = at.callees.get(key) ?? frame(functionName || "(anonymous)", url, lineNumber + 1);
    at.callees.set(key, callee);
    at = callee;
    at.totalUs += tookUs;
  }
  at.selfUs += tookUs;
}

function frame(name: string, url: string, line: number): Frame {
  return { name, url, line, selfUs: 0, totalUs: 0, callees: new Map() };
}
