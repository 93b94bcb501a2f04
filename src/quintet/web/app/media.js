// What kind of file something is, and whether an agent takes it. A browser that does not know a file's type (a .log, a
// .toml) leaves it empty: then the ending of its name says it.

export const FILE_BYTES = 5_000_000;
export const FILES_MOST = 20;
export const PASTE_BYTES = 8 * 1024;

const TEXT = "text/plain";
const BY_ENDING = {
  json: "application/json",
  xml: "application/xml",
  md: "text/markdown",
  csv: "text/csv",
  ...Object.fromEntries(
    "txt log out err ini cfg conf toml yml yaml py js ts sh diff patch".split(" ").map((e) => [e, TEXT]),
  ),
};

export function typeOf(file) {
  const ending = file.name.split(".").at(-1).toLowerCase();
  return (file.type || BY_ENDING[ending] || "application/octet-stream").split(";")[0];
}

export function accepts(accepted, type) {
  return accepted.some(
    (one) => one === type || one === "*/*" || (one.endsWith("/*") && type.startsWith(one.slice(0, -1))),
  );
}

// Said to a person: "text, XML and JSON files".
export function kindsOf(accepted) {
  const names = accepted.map((one) => one.replace(/\/\*$/, "").replace(/^.*\//, ""));
  const words = names.map((name) => (name.length <= 4 && name !== "text" ? name.toUpperCase() : name));
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)} files` : `${words[0]} files`;
}

export function isPicture(type) {
  return ["image/png", "image/jpeg", "image/webp", "image/gif"].includes(type);
}
