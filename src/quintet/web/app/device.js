// What this device is called in the list of sessions: the browser and the system, as far as they say what they are.

const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
];
const SYSTEMS = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["Windows", "Windows"],
  ["Mac", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
];

export function deviceName() {
  const named = (list, otherwise) => list.find(([part]) => navigator.userAgent.includes(part))?.[1] ?? otherwise;
  return `${named(BROWSERS, "Browser")} on ${named(SYSTEMS, "an unknown system")}`;
}
