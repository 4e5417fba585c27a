// Exact edit distance: the fewest changes of an op, edge or vertex that make one cell another.
// Both interiors are padded to five with null vertices; every edit script then is a pairing of
// vertices, and the least costly of all 120 is the distance.

const INTERIOR = 5;
const NULL_VERTEX = OPS;
const PAIRINGS = permutations([...Array(INTERIOR).keys()]);

function permutations(items) {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

// Input is 0, the interior 1 to 5, output 6, whatever the number of vertices.
function padded(cell) {
  const labels = Array.from({ length: INTERIOR }, (_, i) => cell.ops[i] ?? NULL_VERTEX);
  const has = Array.from({ length: INTERIOR + 2 }, () => new Array(INTERIOR + 2).fill(false));
  const place = (vertex) => (vertex === cell.vertices - 1 ? INTERIOR + 1 : vertex);
  for (const [source, target] of cell.edges) has[place(source)][place(target)] = true;
  return { labels, has };
}

function editDistance(first, second) {
  const a = padded(first);
  const b = padded(second);
  let least = Infinity;
  for (const pairing of PAIRINGS) {
    const partner = [0, ...pairing.map((vertex) => vertex + 1), INTERIOR + 1];
    let cost = 0;
    for (let i = 0; i < INTERIOR; i += 1) cost += a.labels[i] !== b.labels[pairing[i]];
    for (let i = 0; i < partner.length; i += 1) {
      for (let j = 0; j < partner.length; j += 1) {
        cost += a.has[i][j] !== b.has[partner[i]][partner[j]];
      }
    }
    least = Math.min(least, cost);
  }
  return least;
}
