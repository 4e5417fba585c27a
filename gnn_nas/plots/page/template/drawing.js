// A cell as a layered graph, from the input at the top to the output: as other pictures of cells
// draw it, but downwards, since two cells are to stand side by side.

const BOX = { width: 46, height: 34, lane: 52, layer: 48, margin: 3 };
const LEAST_WIDTH = 140; // pixels, whatever the page is squeezed to
const LETTERS = { size: 12.5, least: 12.1, spacing: 1.08, capital: 0.73, widest: 2.75, wide: 0.62 };
const [NODE, PORT] = [30, 9]; // of nodes between which operations are on edges

function drawCell(cell, styles, availableWidth) {
  const { drawn, heights } = cell.graph;
  const { vertices, ways } = placed(drawn, heights);
  const lanes = [...vertices, ...ways.flat()].map(([x]) => x);
  const left = Math.min(...lanes) - BOX.width / 2 - BOX.margin;
  const width = Math.max(...lanes) + BOX.width / 2 + BOX.margin - left;
  const scale = Math.min(1, Math.max(availableWidth, LEAST_WIDTH) / width);
  const size = sizes(scale);
  const place = ([x, layer]) => [x, layer * size.layer];
  const [places, lines] = [vertices.map(place), ways.map((way) => way.map(place))];
  const top = -size.height / 2 - BOX.margin;
  const height = drawn.layers[drawn.vertices - 1] * size.layer + size.height + 2 * BOX.margin;
  const ops = cell.ops.map((op) => styles.ops[op]);
  const looks = [styles.input, ...ops, styles.output];
  const line = { fill: "none", stroke: styles.line, "stroke-width": 1.4 };
  return svg(
    "svg",
    {
      class: "cell",
      viewBox: `${left} ${top} ${width} ${height}`,
      width: width * scale,
      height: height * scale,
      role: "img",
      "aria-label": described(cell, looks, drawn.edges),
    },
    ...(styles.nodes
      ? onEdges(places, lines, drawn.edges, ops, styles, line, size)
      : onVertices(places, lines, looks, styles, line, size)),
  );
}

function onVertices(places, lines, looks, styles, line, size) {
  const half = size.height / 2;
  return [
    ...lines.map((way) => svg("path", { class: "edge", d: curve(way, half, half, half), ...line })),
    ...lines.map((way) => svg("path", { d: head(way, half), fill: styles.line })),
    ...places.map((each, vertex) => box(each, looks[vertex], line, size)),
  ];
}

// Nodes as circles, and on every edge between them, halfway, the box of its operation. Lines come
// to a node, and leave it, one beside the other.
function onEdges(places, lines, edges, ops, styles, line, size) {
  const radius = NODE / 2;
  const [starts, ends] = [0, 1].map((side) => ports(lines, edges, side));
  const reach = (offset) => Math.sqrt(radius ** 2 - offset ** 2);
  const ported = lines.map((way, i) => {
    const [[x, y], [lastX, lastY]] = [way[0], way[way.length - 1]];
    return [[x + starts[i], y], ...way.slice(1, -1), [lastX + ends[i], lastY]];
  });
  const strokes = ported.flatMap((way, i) => {
    const d = curve(way, reach(starts[i]), reach(ends[i]), size.height / 2);
    if (ops[i].isAbsent) return [svg("path", { class: "edge", d, ...line, "stroke-dasharray": "3 3" })];
    return [
      svg("path", { class: "edge", d, ...line, "stroke-width": 4.6 }),
      svg("path", { d, ...line, stroke: ops[i].fill, "stroke-width": 2.4 }),
    ];
  });
  const round = { ...size, width: NODE, height: NODE };
  return [
    ...strokes,
    ...ported.map((way, i) => svg("path", { d: head(way, reach(ends[i])), fill: styles.line })),
    ...places.map((each, node) => box(each, styles.nodes[node], line, round, "node")),
    ...lines.map((way, i) => box(way[(way.length - 1) / 2], ops[i], line, size)),
  ];
}

// How far beside its node's middle every edge leaves it (side 0) or comes to it (side 1), by where
// it is a layer further.
function ports(lines, edges, side) {
  const beside = (i) => lines[i].at(side === 0 ? 1 : -2)[0];
  return edges.map((edge, i) => {
    const others = [...edges.keys()].filter((other) => edges[other][side] === edge[side]);
    others.sort((one, other) => beside(one) - beside(other));
    return (others.indexOf(i) - (others.length - 1) / 2) * PORT;
  });
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
function placed(graph, heights) {
  const at = (layer, halfSteps) => [(halfSteps / 2) * BOX.lane, layer];
  const vertices = graph.layers.map((layer, vertex) => at(layer, heights[vertex]));
  let next = graph.vertices;
  const ways = graph.edges.map(([source, target]) => {
    const way = [vertices[source]];
    for (let layer = graph.layers[source] + 1; layer < graph.layers[target]; layer += 1) {
      way.push(at(layer, heights[next]));
      next += 1;
    }
    return [...way, vertices[target]];
  });
  return { vertices, ways };
}

// From the lower side of the first box to the arrow head at the last, upright beside boxes; of
// which these are the halves of their heights.
function curve(way, first, last, passed) {
  const parts = [`M ${way[0][0]} ${way[0][1] + first}`];
  for (let i = 1; i < way.length; i += 1) {
    const [[x, y], [nextX, nextY]] = [way[i - 1], way[i]];
    const start = y + (i === 1 ? first : passed);
    const end = nextY - (i === way.length - 1 ? last + 4 : passed);
    const middle = (start + end) / 2;
    if (i > 1) parts.push(`L ${x} ${start}`);
    parts.push(`C ${x} ${middle} ${nextX} ${middle} ${nextX} ${end}`);
  }
  return parts.join(" ");
}

function head(way, half) {
  const [x, y] = way[way.length - 1];
  return `M ${x} ${y - half} l -3.5 -7 h 7 z`;
}

function box([x, y], look, line, size, kind = "vertex") {
  const longest = Math.max(...look.lines.map((words) => words.length));
  const letters = Math.min(size.letters, size.width / (LETTERS.wide * longest));
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
  return svg("g", { class: kind }, title, shape, ...lines);
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

function described(cell, looks, edges) {
  const arrows = edges.map(([source, target]) => `${source}→${target}`);
  // Where operations are on edges, each with its own.
  if (edges !== cell.edges) return arrows.map((arrow, i) => `${looks[i + 1].name} ${arrow}`).join(", ");
  return `Vertices ${looks.map((look) => look.name).join(", ")}; edges ${arrows.join(", ")}`;
}
