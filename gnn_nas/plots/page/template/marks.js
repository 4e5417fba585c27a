// What is marked on the map: the cell shown and its neighbours, pinned cells, a search's path.

const TRAIL = 12; // last queries joined by a line

class Marks {
  constructor(layer, view) {
    this.layer = layer;
    this.view = view;
    this.current = null;
    this.pins = [];
    this.path = null; // { points, bests } as far as it has been played
    this.colouring = null;
  }

  draw(pixel) {
    this.layer.replaceChildren(
      ...(this.path ? this.pathMarks(pixel) : []),
      ...(this.current === null ? [] : this.currentMarks(pixel)),
      ...this.pins.flatMap((point, i) => (point === null ? [] : pinMarks(pixel(point), "AB"[i]))),
    );
  }

  currentMarks(pixel) {
    const [x, y] = pixel(this.current);
    const others = neighboursOf(this.view, this.current).map(({ point }) => pixel(point));
    return [
      ...others.map(([x2, y2]) => svg("line", { class: "to-neighbour", x1: x, y1: y, x2, y2 })),
      ...others.map((place) => circle(place, 5, "neighbour")),
      circle([x, y], 8, "halo"),
      circle([x, y], 8, "current"),
    ];
  }

  pathMarks(pixel) {
    const { points, bests } = this.path;
    if (points.length === 0) return [];
    const places = points.map(pixel);
    const bestPlaces = bests.map(pixel);
    const queried = places.map((place, i) =>
      circle(place, 4.5, "queried", { fill: this.colouring.colour(points[i]) }),
    );
    const marks = [
      svg("polyline", { class: "trail", points: places.slice(-TRAIL).join(" ") }),
      svg("polyline", { class: "improvements", points: bestPlaces.join(" ") }),
      ...queried,
      circle(places[places.length - 1], 8, "asked"),
    ];
    if (bests.length > 0) marks.push(star(bestPlaces[bestPlaces.length - 1]));
    return marks;
  }
}

function neighboursOf(view, point) {
  const count = view.neighbourCount;
  return Array.from({ length: count }, (_, i) => ({
    point: view.neighbours[count * point + i],
    distance: view.neighbourDistances[count * point + i],
  }));
}

function circle([cx, cy], r, name, extra = {}) {
  return svg("circle", { class: name, cx, cy, r, ...extra });
}

function star([x, y]) {
  const corners = Array.from({ length: 10 }, (_, i) => {
    const [radius, angle] = [i % 2 ? 5 : 11, (i * Math.PI) / 5 - Math.PI / 2];
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
  return svg("polygon", { class: "best", points: corners.join(" ") });
}

function pinMarks([x, y], letter) {
  const [badgeX, badgeY] = [x + 15, y - 15];
  const text = svg("text", { class: "badge", x: badgeX, y: badgeY });
  text.textContent = letter;
  return [
    circle([x, y], 7, "halo"),
    circle([x, y], 7, `pin pin-${letter}`),
    circle([badgeX, badgeY], 10, `badge badge-${letter}`),
    text,
  ];
}
