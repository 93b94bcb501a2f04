// A picture of dark squares, drawn and not loaded: rows of ones and noughts.

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // squares of light around it, without which cameras do not find it

export function drawSquares(rows, name) {
  const size = rows.length + 2 * QUIET;
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const strokes = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map(({ 0: dark, index }) => `M${index + QUIET} ${y + QUIET}h${dark.length}v1h-${dark.length}z`),
  );
  path.setAttribute("d", strokes.join(""));
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("class", "squares");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  svg.append(path);
  return svg;
}
