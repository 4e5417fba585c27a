// The cards beside the map: the cell shown, and the two that are pinned.

const DRAWING_SHARE = 0.48; // of the card's width

class Details {
  constructor(data, view, places, actions) {
    this.data = data;
    this.view = view;
    this.cells = data.cells;
    this.places = places; // elements: current, pins, distance
    this.actions = actions; // show(point), pin(point)
  }

  showCurrent(point, pins) {
    const { data } = this;
    const isPinned = pins.includes(point);
    const pin = element("button", { type: "button", className: "pin-button" });
    pin.textContent = isPinned ? "Unpin" : "Pin to compare";
    pin.onclick = (event) => {
      this.actions.pin(point);
      this.goOn(event, ".pin-button");
    };
    this.places.current.replaceChildren(
      element("div", { className: "heading" }, element("h2", {}, "Cell"), pin),
      element("code", { className: "hash" }, data.hashes[point]),
      element(
        "div",
        { className: "body" },
        this.drawing(point, this.places.current.clientWidth * DRAWING_SHARE),
        this.facts(point),
        element(
          "div",
          { className: "near" },
          element("h3", {}, "Nearest embeddings"),
          this.neighbours(point),
        ),
      ),
    );
  }

  showPins(pins) {
    const cards = pins.map((point, i) => (point === null ? emptyPin(i) : this.pin(point, i)));
    this.places.pins.replaceChildren(...cards);
    const [first, second] = pins.map((point) => this.cells[point]);
    const isPair = first !== undefined && second !== undefined;
    const distance = isPair ? this.data.distance(first, second) : null;
    this.places.distance.replaceChildren(
      ...(isPair
        ? ["Edit distance ", element("strong", { id: "edits" }, String(distance))]
        : ["Click two cells on the map to see them side by side."]),
    );
  }

  pin(point, i) {
    const remove = element("button", { type: "button", className: "remove", ariaLabel: "Unpin" }, "×");
    remove.onclick = (event) => {
      this.actions.pin(point);
      this.goOn(event, ".pin-button");
    };
    const more = element("details", {}, element("summary", {}, "Nearest cells"));
    more.append(this.neighbours(point));
    return element(
      "article",
      { className: "pinned" },
      element("div", { className: "heading" }, badge(i), remove),
      element("code", { className: "hash" }, this.data.hashes[point]),
      this.drawing(point, this.places.pins.clientWidth / 2 - 28),
      this.facts(point),
      more,
    );
  }

  drawing(point, width) {
    return drawCell(this.cells[point], this.data.styles, width);
  }

  facts(point) {
    const { data } = this;
    const cell = this.cells[point];
    const lines = [];
    if (data.accuracies) {
      const accuracy = element("strong", {}, percent(data.accuracies[point]));
      lines.push([accuracy, " test accuracy"]);
    }
    if (data.ranks?.[point]) {
      const [rank, of] = [data.ranks[point], data.space.size].map((n) => n.toLocaleString("en"));
      lines.push([`rank ${rank} of ${of}`]);
    }
    if (data.classes) lines.push([`class ${data.classNames[data.classes[point]]}`]);
    if (!data.space.isWired) lines.push([`${cell.vertices} vertices, ${cell.edges.length} edges`]);
    data.styles.ops.forEach((look, op) => {
      if (cell.count(op)) lines.push([swatch(look), `${cell.count(op)} × ${look.name}`]);
    });
    return element("ul", { className: "facts" }, ...lines.map((line) => element("li", {}, ...line)));
  }

  // Buttons, so that one goes from cell to cell by keyboard too.
  neighbours(point) {
    const { data } = this;
    const items = neighboursOf(this.view, point).map(({ point: other, distance }) => {
      const edits = data.distance(this.cells[point], this.cells[other]);
      const parts = [element("code", {}, shortened(data.hashes[other]))];
      if (data.accuracies) parts.push(element("span", {}, percent(data.accuracies[other])));
      parts.push(element("span", {}, `${edits} edit${edits === 1 ? "" : "s"}`));
      const title = `${data.hashes[other]}, embedding distance ${distance.toFixed(3)}`;
      const button = element("button", { type: "button", title }, ...parts);
      button.onclick = (event) => {
        this.actions.show(other);
        this.goOn(event, ".neighbours button");
      };
      return element("li", {}, button);
    });
    return element("ol", { className: "neighbours" }, ...items);
  }

  // The button that was pressed is gone: by keyboard one goes on from another.
  goOn(event, selector) {
    if (event.detail === 0) this.places.current.querySelector(selector).focus();
  }
}

function badge(i) {
  return element("span", { className: `badge badge-${"AB"[i]}` }, "AB"[i]);
}

function emptyPin(i) {
  return element("article", { className: "pinned empty" }, badge(i));
}
