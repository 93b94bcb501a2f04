// A picture of dark squares, drawn and not loaded: rows of ones and noughts.

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // squares of light around it, without which cameras do not find it

const bar = (x, y, width) => `M${x} ${y}h${width}v1h-${width}z`;

export function drawSquares(rows, name) {
  const size = rows.length + 2 * QUIET;
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const strokes = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map(({ 0: dark, index: x }) => bar(x + QUIET, y + QUIET, dark.length)),
  );
  path.setAttribute("d", strokes.join(""));
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("class", "squares");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  svg.append(path);
  return svg;
}
