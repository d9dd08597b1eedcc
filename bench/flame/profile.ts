/** A `.cpuprofile` as V8 writes it: the nodes of a call tree, and the node of each sample. Times in microseconds. */
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

/** A function below its callers: its own time, and its time with everything that it called, in microseconds. */
export interface Frame {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  selfUs: number;
  totalUs: number;
  readonly callees: Map<string, Frame>;
}

/** The time that counts. */
export interface Window {
  /** On the system's monotonic clock, as `process.hrtime` has it. */
  readonly fromUs: number;
  readonly toUs: number;
}

/** Samples below these functions do not count. */
const IDLE: ReadonlySet<string> = new Set(["(idle)"]);

/** Adds the samples within the window to `root`, so that one tree can hold several threads. Returns `root`. */
export function fold(profile: Profile, { fromUs, toUs }: Window, root: Frame = frame("all", "", 0)): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const callers = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const stacks = new Map<number, readonly ProfileNode[]>();
  let at = profile.startTime;
  for (const [n, id] of profile.samples.entries()) {
    const tookUs = profile.timeDeltas[n + 1] ?? 0; // a delta is the time before its sample; a sample lasts until the next one
    at += profile.timeDeltas[n] ?? 0;
    if (at < fromUs || at > toUs) continue;
    const stack = stacks.get(id) ?? stackOf(id, nodes, callers);
    stacks.set(id, stack);
    if (!stack.some(({ callFrame }) => IDLE.has(callFrame.functionName))) add(root, stack, Math.max(0, tookUs));
  }
  return root;
}

/** The nodes from the root's child down to this one. */
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
