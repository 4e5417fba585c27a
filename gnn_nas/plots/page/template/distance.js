// Exact edit distance: the fewest changes of an op, edge or vertex that make one cell another.
// The smaller interior is padded with null vertices; every edit script then is a pairing of
// vertices. They are paired one after the other, as long as it may cost less than the best so far.
// Where the number of in-edges is fixed, an edge in place of another is one edit, so that all others
// count twice, and the edges of the output follow.

const NULL_VERTEX = -1;

// Input is 0, the interior follows, the output is last, whatever the number of vertices.
function padded(cell, interior) {
  const labels = Array.from({ length: interior }, (_, i) => cell.ops[i] ?? NULL_VERTEX);
  const has = Array.from({ length: interior + 2 }, () => new Array(interior + 2).fill(0));
  const place = (vertex) => (vertex === cell.vertices - 1 ? interior + 1 : vertex);
  for (const [source, target] of cell.edges) has[place(source)][place(target)] = 1;
  return { labels: [null, ...labels, null], has };
}

function editDistance(first, second, hasInEdges = false) {
  const interior = Math.max(first.ops.length, second.ops.length);
  const [a, b] = [padded(first, interior), padded(second, interior)];
  const last = interior + 1;
  const opEdits = hasInEdges ? 2 : 1;
  const partner = new Array(last + 1).fill(0);
  partner[last] = last;
  const taken = new Array(last + 1).fill(false);
  // What pairing two vertices costs: their ops, and their edges with those paired before.
  const cost = (vertex, other, paired) => {
    let sum = a.labels[vertex] === b.labels[other] ? 0 : opEdits;
    for (const each of paired) {
      sum += a.has[each][vertex] ^ b.has[partner[each]][other];
      sum += a.has[vertex][each] ^ b.has[other][partner[each]];
    }
    return sum;
  };
  let least = Infinity;
  const pair = (vertex, paired, sum) => {
    if (sum >= least) return;
    if (vertex === last) {
      least = sum;
      return;
    }
    const others = [];
    for (let other = 1; other < last; other += 1) {
      if (!taken[other]) others.push([cost(vertex, other, paired), other]);
    }
    others.sort(([one], [another]) => one - another);
    for (const [more, other] of others) {
      [partner[vertex], taken[other]] = [other, true];
      pair(vertex + 1, [...paired, vertex], sum + more);
      taken[other] = false;
    }
  };
  pair(1, hasInEdges ? [0] : [0, last], a.has[0][last] ^ b.has[0][last]);
  return hasInEdges ? least / 2 : least;
}

// Where all cells have the same edges only ops can be changed.
function wiredDistance(first, second) {
  return first.ops.filter((op, i) => op !== second.ops[i]).length;
}
