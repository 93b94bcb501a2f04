// How numbers, times and sizes are said to a person.

export function duration(ms) {
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest ? ` ${rest} s` : ""}`;
}

// The time something has been running for: whole seconds.
export function elapsed(ms) {
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : duration(ms);
}

export function kib(bytes) {
  if (bytes < 1024) return count(bytes, "byte", "bytes");
  if (bytes >= 1024 * 1024) return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

export function count(n, one, many) {
  return `${n} ${n === 1 ? one : many}`;
}

export function shorten(text, length) {
  const points = [...text.slice(0, length * 2)];
  return points.length > length ? `${points.slice(0, length - 1).join("").trimEnd()}…` : text;
}

const EMPHASIS = /(\*\*?|`)(\S(?:.*?\S)?)\1/g;
const RULING = /^[\s=_#*>-]+|[\s=_*-]+$/g;

export function firstLine(text) {
  return shorten((text.trim().split("\n", 1)[0] ?? "").replace(EMPHASIS, "$2").replace(RULING, ""), 80);
}

// A conversation begun with a test run is better known by how that ended than by its first line.
export function titleOf(title, firstText = "") {
  const tidy = firstLine(title ?? "") || firstLine(firstText);
  if (tidy !== "test session starts") return tidy;
  const ending = firstText.trimEnd().split("\n").at(-1).replace(RULING, "").replace(/ in [\d.]+s.*$/, "");
  return /\d (failed|passed|errors?)\b/.test(ending) ? `Test run: ${ending}` : "Test run";
}

export function day(time, now) {
  const then = new Date(time);
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  if (then >= midnight) return "Today";
  if (then >= midnight - 86_400_000) return "Yesterday";
  if (then >= midnight - 6 * 86_400_000) return "This week";
  return "Earlier";
}

export function ago(time) {
  const minutes = Math.round((Date.now() - Date.parse(time)) / 60_000);
  if (minutes < 2) return "just now";
  if (minutes < 60) return `${minutes} minutes ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return `${count(hours, "hour", "hours")} ago`;
  return `on ${new Date(time).toLocaleDateString()}`;
}

export function clockTime(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

// The last part of a text, begun at a line, that has at most so many bytes: of a test run the end says most.
export function tail(text, bytes) {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length <= bytes) return text;
  let start = encoded.length - bytes;
  const line = encoded.indexOf(10, start);
  if (line !== -1 && line - start < 400) start = line + 1;
  while ((encoded[start] & 0xc0) === 0x80) start += 1;
  return new TextDecoder().decode(encoded.subarray(start));
}
