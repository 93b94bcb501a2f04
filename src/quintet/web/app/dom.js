// Builds the page. Text only ever enters as text nodes, so nothing a user or an agent wrote can become markup.

const SVG = "http://www.w3.org/2000/svg";

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function div(name, ...children) {
  return el("div", { class: name }, ...children);
}

export function span(name, ...children) {
  return el("span", { class: name }, ...children);
}

// A button that does something here; `shape` is its picture, `word` its name, shown or (as `aria-label`) only said.
export function button(word, click, { shape, ...props }) {
  return el("button", { type: "button", ...props, on: { click: () => click() } }, shape && icon(shape), word);
}

function setProp(node, name, value) {
  if (name === "class") node.className = value;
  else if (name === "on") for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
  else setAttr(node, name, value);
}

export function setAttr(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

// Writes only what changed: a screen reader and a text selection are left alone by an update that says nothing new.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

const SHAPES = {
  menu: "M4 7h16M4 12h16M4 17h10",
  plus: "M12 5v14M5 12h14",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  minus: "M6 12h12",
  chevron: "M9 6l6 6-6 6",
  copy: "M9 9h10v10H9zM5 15V5h10",
  down: "M12 5v14M6 13l6 6 6-6",
  retry: "M19 12a7 7 0 1 1-2.1-5M19 4v4h-4",
  leave: "M10 5H5v14h5M14 8l4 4-4 4M18 12H9",
  clip: "M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.3a3 3 0 0 1 4.3 4.3l-7.6 7.5a1.5 1.5 0 0 1-2.1-2.1L14 7.6",
  pencil: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  sliders: "M4 8h8M18 8h2M15 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M4 17h1M11 17h9M8 14a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  find: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12M15.5 15.5L20 20",
  ask: "M9 9.5a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18v.1",
  file: "M7 4h7l4 4v12H7zM14 4v4h4",
  load: "M12 5v10M7 11l5 5 5-5M6 20h12",
  braces: "M9 4c-3 0-2 3-2 5s-1 3-3 3c2 0 3 1 3 3s-1 5 2 5M15 4c3 0 2 3 2 5s1 3 3 3c-2 0-3 1-3 3s1 5-2 5",
  device: "M5 5h14v10H5zM3 19h18",
  flask: "M10 4h4M11 4v6l-5.5 8.5A1 1 0 0 0 6.4 20h11.2a1 1 0 0 0 .9-1.5L13 10V4",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return svg;
}

export function mark(name) {
  const voices = [1, 2, 3, 4, 5].map((n) => el("i", { class: `voice voice-${n}` }));
  return el("span", { class: name, "aria-hidden": "true" }, voices);
}

export function brand() {
  return span("brand", mark("mark"), "Quintet");
}
