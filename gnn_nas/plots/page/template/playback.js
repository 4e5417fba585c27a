// Playing a search over the map, query by query.

const WHOLE_SEARCH = 20000; // milliseconds that it takes, within the limits below
const [QUICKEST, SLOWEST] = [25, 150];
const SHOWN_POINTS = 1; // percentage points below the end that the curve of the best shows

class Playback {
  constructor(paths, places, onQuery) {
    this.paths = paths.map((path) => new Path(path));
    this.places = places; // elements: bar, play, select, slider, progress, best
    this.onQuery = onQuery;
    this.timer = null;
    places.bar.hidden = this.paths.length === 0;
    if (this.paths.length === 0) return;
    places.select.append(...this.paths.map((path, i) => new Option(path.name, i)));
    places.select.hidden = this.paths.length === 1;
    places.select.onchange = () => this.choose(Number(places.select.value));
    places.play.onclick = () => (this.timer === null ? this.play() : this.pause());
    places.slider.oninput = () => {
      this.pause();
      this.goTo(Number(places.slider.value));
    };
    this.choose(0);
  }

  choose(i) {
    this.pause();
    this.path = this.paths[i];
    this.places.slider.max = this.path.length;
    this.drawProgress();
    this.goTo(this.path.length);
  }

  play() {
    if (this.query === this.path.length) this.goTo(0);
    const pace = Math.min(Math.max(WHOLE_SEARCH / this.path.length, QUICKEST), SLOWEST);
    this.timer = setInterval(() => {
      this.goTo(this.query + 1);
      if (this.query === this.path.length) this.pause();
    }, pace);
    this.places.play.textContent = "❚❚ Pause";
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.places.play.textContent = "▶ Play";
  }

  goTo(query) {
    this.query = query;
    const { path } = this;
    this.places.slider.value = query;
    const best = path.bestAfter(query);
    const found = best === null ? "none yet" : `${percent(path.figure(best))}, query ${best + 1}`;
    this.places.best.replaceChildren(
      element("span", {}, `Query ${query} of ${path.length}`),
      element("span", {}, "Best so far ", element("strong", {}, found)),
    );
    this.marker?.setAttribute("x1", query);
    this.marker?.setAttribute("x2", query);
    this.onQuery(path, query);
  }

  // The best so far against queries, over the slider.
  drawProgress() {
    const { path } = this;
    const figures = path.best.map((best) => (best === null ? NaN : path.figure(best)));
    const top = figures[figures.length - 1];
    const height = (figure) => 1 - Math.max(0, 1 - (top - figure) / SHOWN_POINTS);
    const steps = figures.flatMap((figure, i) =>
      Number.isFinite(figure) ? [`${i},${height(figure)}`, `${i + 1},${height(figure)}`] : [],
    );
    this.marker = svg("line", { class: "now", x1: 0, x2: 0, y1: 0, y2: 1 });
    this.places.progress.setAttribute("viewBox", `0 -0.08 ${path.length} 1.16`);
    this.places.progress.replaceChildren(svg("polyline", { points: steps.join(" ") }), this.marker);
  }
}
