// One run as its events tell it: what was asked, the tree of agents, their steps, the answer, the ending. Pure:
// an event in, the run changed. `rev` is raised on all that an event touched, up to the root: the rest is not redrawn.

import { Pieces } from "./pieces.js";

export const ENDED = new Set(["completed", "failed", "cancelled"]);

export function createRun(id, threadId) {
  return {
    id,
    threadId,
    state: "queued",
    rev: 0,
    lastRunSeq: 0,
    isWhole: false, // its events were read from the first one on
    text: "",
    files: [],
    answer: new Pieces(),
    agents: new Map(),
    root: null,
    stopping: false,
  };
}

export function applyToRun(run, event) {
  if (event.run_seq <= run.lastRunSeq) return false;
  if (run.lastRunSeq === 0 && event.run_seq === 1) run.isWhole = true;
  run.lastRunSeq = event.run_seq;
  run.traceId = event.trace_id ?? run.traceId;
  STEPS[event.type]?.(run, event, event.data ?? {});
  touch(run, event.agent?.id);
  return true;
}

function touch(run, agentId) {
  run.rev += 1;
  for (let agent = run.agents.get(agentId); agent; agent = run.agents.get(agent.parentId)) agent.rev += 1;
}

const STEPS = {
  message_accepted(run, event, data) {
    run.text = data.text ?? run.text;
    run.files = data.attachments ?? run.files;
    run.clientId = data.client_id;
    run.acceptedAt = Date.parse(event.time);
  },
  agent_started(run, event, data) {
    agentOf(run, event).input = data.input;
    if (run.state === "queued") run.state = "running";
  },
  agent_thinking(run, event, data) {
    const { step, text, progress } = data;
    agentOf(run, event).items.push({ kind: "thinking", step, text, progress });
  },
  tool_executing(run, event, data) {
    callOf(agentOf(run, event), data, event).arguments = data.arguments;
  },
  tool_completed(run, event, data) {
    const { status, result, error, duration_ms: durationMs, truncated } = data;
    const call = callOf(agentOf(run, event), data, event);
    Object.assign(call, { state: status, result, error, durationMs, truncated, rev: call.rev + 1 });
  },
  text_delta(run, event, data) {
    const agent = agentOf(run, event);
    const pieces = agent.parentId ? agent.said : run.answer;
    run.answerId = agent.parentId ? run.answerId : data.message_id;
    pieces.add(data.offset, data.text);
  },
  agent_completed(run, event, data) {
    const agent = end(run, event, "completed", data);
    Object.assign(agent, { result: data.result, usage: data.usage });
    const pieces = agent.parentId ? agent.said : run.answer;
    if (typeof data.text === "string" && pieces.text !== data.text) pieces.replace(data.text);
    if (event.final) run.needsWholeText = data.truncated === true && data.text === undefined;
  },
  agent_failed(run, event, data) {
    end(run, event, "failed", data).error = data.error;
    if (event.final) run.error = data.error;
  },
  agent_cancelled(run, event, data) {
    end(run, event, "cancelled", data).reason = data.reason;
    if (event.final) run.reason = data.reason;
  },
};

function end(run, event, state, data) {
  const agent = agentOf(run, event);
  Object.assign(agent, { state, durationMs: data.duration_ms });
  if (event.final) Object.assign(run, { state, durationMs: data.duration_ms, endedAt: Date.parse(event.time) });
  return agent;
}

// An invocation is made at its first event, whichever it is: a run that was joined in the middle has no beginning.
function agentOf(run, event) {
  const { id, name, parent_id: parentId } = event.agent ?? { id: "?", name: "agent" };
  if (!run.agents.has(id)) {
    const startedAt = Date.parse(event.time);
    const said = new Pieces();
    run.agents.set(id, { id, name, parentId, said, startedAt, state: "running", items: [], calls: new Map(), rev: 0 });
    if (parentId) run.agents.get(parentId)?.items.push({ kind: "agent", id });
    else run.root = id;
  }
  return run.agents.get(id);
}

function callOf(agent, data, event) {
  const known = agent.calls.get(data.call_id);
  if (known) return known;
  const call = { id: data.call_id, tool: data.tool, state: "running", startedAt: Date.parse(event.time), rev: 0 };
  agent.calls.set(call.id, call);
  agent.items.push({ kind: "tool", call });
  return call;
}

// An open run as a snapshot has it: no story, but the text so far and the calls that are open.
export function takeOpenRun(run, open) {
  run.state = open.state ?? run.state;
  run.live = true; // seen while it goes on: its story stands open
  run.agentName = open.agent;
  run.acceptedAt = Date.parse(open.created_at) || run.acceptedAt;
  if (typeof open.text === "string") run.answer.replace(open.text);
  run.rev += 1;
}

export function nameOf(run) {
  return run.agents.get(run.root)?.name ?? run.agentName ?? "agent";
}

export function isOpen(run) {
  return !ENDED.has(run.state);
}

// How many agents worked, and how many steps they took (thoughts and tools): the one-line summary of a story.
export function tally(run) {
  const agents = [...run.agents.values()];
  const steps = agents.flatMap((agent) => agent.items).filter((item) => item.kind !== "agent");
  return { agents: agents.length, steps: steps.length };
}

// The agents by name, in the order they came, each with all its invocations and the time they took together.
export function voices(run) {
  const named = new Map();
  for (const agent of run.agents.values()) {
    const voice = named.get(agent.name) ?? { name: agent.name, agents: [], durationMs: 0, isRunning: false };
    voice.agents.push(agent);
    voice.durationMs += agent.durationMs ?? 0;
    voice.isRunning ||= agent.state === "running";
    named.set(agent.name, voice);
  }
  return [...named.values()];
}
