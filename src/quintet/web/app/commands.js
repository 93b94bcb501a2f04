// What a person can have done, by mouse, by touch or by key: one list for each place that offers it.

import { go } from "./router.js";
import { isOpen } from "./run.js";
import { SAMPLE_AGENT, SAMPLE_RUN } from "./sample.js";
import { openSettings } from "./views/settings.js";
import { openShortcuts } from "./views/shortcuts.js";
import { wordFor } from "./words.js";

export function commandsOf(desk, signOut) {
  const here = () => desk.place.threadId;
  const settings = () => {
    const onUser = (user) => {
      desk.session.user = user;
      desk.threads.setUser(user);
    };
    openSettings({ session: desk.session, onUser, onShortcuts: openShortcuts });
  };
  return {
    turn: turnCommands(desk),
    side: sideCommands(desk, settings, signOut),
    bar: {
      rename: (title) => desk.work.rename(here(), title),
      remove: () => desk.work.remove(here()),
      shortcuts: openShortcuts,
    },
    keys: keyCommands(desk, settings),
    // One click: the sample goes to the team that explains it, or to the default agent where there is no such team.
    sample() {
      const { agents } = desk.composer;
      const agent = agents.has(SAMPLE_AGENT) ? SAMPLE_AGENT : agents.value;
      if (agent) agents.choose(agent);
      desk.send(SAMPLE_RUN, agent);
      desk.composer.focus();
    },
  };
}

function turnCommands(desk) {
  const told = (work) => work.catch((error) => desk.notice.tell(wordFor(error)));
  return {
    stop: (run) => desk.stops.stop(run),
    tell: (run) => told(desk.history.tell(run)),
    raw: (run) => desk.raw.open(run),
    content: (file) =>
      told(desk.session.call("GET", `/v1/attachments/${encodeURIComponent(file.id)}/content`, undefined, "blob")),
    sendAgain: (run) => desk.send(run.text, run.agents.get(run.root)?.name ?? run.agentName, run.files),
    tryAgain: (item) => desk.outbox.again(item.clientId),
    takeBack(item) {
      desk.outbox.remove(item.clientId);
      desk.composer.fill(item.text, item.agent);
    },
    isConnected: () => desk.feed.connection.isOpen,
  };
}

function sideCommands(desk, settings, signOut) {
  return {
    signOut() {
      desk.seen.forget();
      signOut();
    },
    settings,
    older: () => desk.older(),
    close: () => desk.frame.toggle(false, false),
    rename: (threadId, title) => desk.work.rename(threadId, title),
    remove: (threadId) => desk.work.remove(threadId),
    refresh: () => desk.note({ threads: true }),
  };
}

function keyCommands(desk, settings) {
  const lastRun = () => desk.model.runsOf(desk.place.threadId).at(-1);
  const step = (by) => {
    const ids = desk.model.threadsByTime().map((thread) => thread.id);
    const at = ids.indexOf(desk.place.threadId);
    const next = ids[at === -1 ? 0 : at + by];
    if (next) go(next);
  };
  return {
    settings,
    shortcuts: openShortcuts,
    search() {
      desk.frame.reachSide();
      desk.threads.query.focus();
    },
    fresh: () => go(null),
    next: () => step(1),
    previous: () => step(-1),
    write: () => desk.composer.focus(),
    attach: () => desk.composer.clip.click(),
    story: () => desk.conversation.lastTurn()?.story.toggle(),
    raw: () => lastRun() && desk.raw.open(lastRun()),
    copy: () => desk.conversation.lastTurn()?.copy.click(),
    stop: () => lastRun() && isOpen(lastRun()) && desk.stopAll(),
    rename: () => desk.frame.rename(),
    remove: () => desk.place.threadId && desk.work.remove(desk.place.threadId),
  };
}
