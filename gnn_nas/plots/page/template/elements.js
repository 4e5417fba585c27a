// Making elements of the page.

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function swatch(look) {
  return element("span", { className: "swatch", style: `background: ${look.fill}` });
}

const byId = (id) => document.getElementById(id);

const percent = (value) => (Number.isFinite(value) ? `${value.toFixed(2)} %` : "unknown");
