// Tabs (WAI-ARIA): Tab reaches the one that is chosen, arrows, Home and End choose another; a panel each.

import { div, el, setAttr, show } from "../dom.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export class Tabs {
  constructor(label, groups) {
    this.panels = groups.map(({ name, parts }) =>
      el("div", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}` }, ...parts),
    );
    this.tabs = groups.map(({ name, title }, at) => {
      const on = { click: () => this.choose(at) };
      const props = { type: "button", role: "tab", id: `tab-${name}`, class: "tab", "aria-controls": `panel-${name}` };
      return el("button", { ...props, on }, title);
    });
    const on = { keydown: (event) => this.pressed(event) };
    this.list = el("div", { role: "tablist", class: "tabs", "aria-label": label, on }, this.tabs);
    this.node = div("tabbed", this.list, ...this.panels);
    this.choose(0);
  }

  choose(at) {
    this.at = at;
    this.tabs.forEach((tab, place) => {
      setAttr(tab, "aria-selected", String(place === at));
      setAttr(tab, "tabindex", place === at ? null : "-1");
      show(this.panels[place], place === at);
    });
    this.tabs[at].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  pressed(event) {
    const last = this.tabs.length - 1;
    const ends = { Home: 0, End: last };
    const step = STEPS[event.key];
    const next = step ? (this.at + step + last + 1) % (last + 1) : ends[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.choose(next);
    this.tabs[next].focus();
  }
}
