// A cell as a layered graph, from the input at the top to the output: as other pictures of cells
// draw it, but downwards, since two cells are to stand side by side.

const BOX = { width: 46, height: 34, lane: 52, layer: 48, margin: 3 };
const LEAST_WIDTH = 140; // pixels, whatever the page is squeezed to
const LETTERS = { size: 12.5, least: 12.1, spacing: 1.08, capital: 0.73, widest: 2.75 };

function drawCell(cell, layouts, styles, availableWidth) {
  const { vertices, ways } = placed(cell, layouts.get(cell.mask));
  const lanes = [...vertices, ...ways.flat()].map(([x]) => x);
  const left = Math.min(...lanes) - BOX.width / 2 - BOX.margin;
  const width = Math.max(...lanes) + BOX.width / 2 + BOX.margin - left;
  const scale = Math.min(1, Math.max(availableWidth, LEAST_WIDTH) / width);
  const size = sizes(scale);
  const place = ([x, layer]) => [x, layer * size.layer];
  const [places, drawn] = [vertices.map(place), ways.map((way) => way.map(place))];
  const top = -size.height / 2 - BOX.margin;
  const height = cell.layers[cell.vertices - 1] * size.layer + size.height + 2 * BOX.margin;
  const looks = [styles.input, ...cell.ops.map((op) => styles.ops[op]), styles.output];
  const line = { fill: "none", stroke: styles.line, "stroke-width": 1.4 };
  return svg(
    "svg",
    {
      class: "cell",
      viewBox: `${left} ${top} ${width} ${height}`,
      width: width * scale,
      height: height * scale,
      role: "img",
      "aria-label": described(cell, looks),
    },
    ...drawn.map((way) => svg("path", { class: "edge", d: curve(way, size), ...line })),
    ...drawn.map((way) => svg("path", { d: head(way, size), fill: styles.line })),
    ...places.map((each, vertex) => box(each, looks[vertex], line, size)),
  );
}

// Letters have a least size in pixels on the screen: where a wide cell is drawn small, boxes grow
// around them, downwards as they need and aside as the lanes allow.
function sizes(scale) {
  const letters = Math.max(LETTERS.size, LETTERS.least / scale);
  const height = Math.max(BOX.height, 2 * LETTERS.spacing * letters + BOX.margin);
  const width = Math.min(Math.max(BOX.width, LETTERS.widest * letters), BOX.lane - 2);
  return { letters, width, height, layer: BOX.layer + height - BOX.height };
}

// Lanes and layers of the vertices, and of what each edge goes through.
function placed(cell, heights) {
  const at = (layer, halfSteps) => [(halfSteps / 2) * BOX.lane, layer];
  const vertices = cell.layers.map((layer, vertex) => at(layer, heights[vertex]));
  let next = cell.vertices;
  const ways = cell.edges.map(([source, target]) => {
    const way = [vertices[source]];
    for (let layer = cell.layers[source] + 1; layer < cell.layers[target]; layer += 1) {
      way.push(at(layer, heights[next]));
      next += 1;
    }
    return [...way, vertices[target]];
  });
  return { vertices, ways };
}

// From the lower side of the first box to the arrow head at the last, upright beside boxes.
function curve(way, size) {
  const half = size.height / 2;
  const parts = [`M ${way[0][0]} ${way[0][1] + half}`];
  for (let i = 1; i < way.length; i += 1) {
    const [[x, y], [nextX, nextY]] = [way[i - 1], way[i]];
    const end = nextY - half - (i === way.length - 1 ? 4 : 0);
    const middle = (y + half + end) / 2;
    if (i > 1) parts.push(`L ${x} ${y + half}`);
    parts.push(`C ${x} ${middle} ${nextX} ${middle} ${nextX} ${end}`);
  }
  return parts.join(" ");
}

function head(way, size) {
  const [x, y] = way[way.length - 1];
  return `M ${x} ${y - size.height / 2} l -3.5 -7 h 7 z`;
}

function box([x, y], look, line, size) {
  const { letters } = size;
  const title = svg("title");
  title.textContent = look.name;
  const lines = look.lines.map((words, i) => {
    const middle = (i - (look.lines.length - 1) / 2) * LETTERS.spacing * letters;
    const text = svg("text", {
      x,
      y: y + middle + (LETTERS.capital * letters) / 2,
      "font-size": letters,
      "text-anchor": "middle",
      fill: look.ink,
    });
    text.textContent = words;
    return text;
  });
  const shape = svg("path", { ...line, d: outline([x, y], look, size), fill: look.fill });
  return svg("g", { class: "vertex" }, title, shape, ...lines);
}

// Clockwise from the left end of the upper side; corners are rounded or cut.
function outline([x, y], look, { width, height }) {
  const cut = look.corner * height;
  const [across, down] = [width - 2 * cut, height - 2 * cut];
  const corner = (dx, dy) => (look.isCut ? `l ${dx} ${dy}` : `a ${cut} ${cut} 0 0 1 ${dx} ${dy}`);
  return [
    `M ${x - across / 2} ${y - height / 2} h ${across} ${corner(cut, cut)}`,
    `v ${down} ${corner(-cut, cut)} h ${-across} ${corner(-cut, -cut)}`,
    `v ${-down} ${corner(cut, -cut)} z`,
  ].join(" ");
}

function described(cell, looks) {
  const edges = cell.edges.map(([source, target]) => `${source}→${target}`).join(", ");
  return `Vertices ${looks.map((look) => look.name).join(", ")}; edges ${edges}`;
}
