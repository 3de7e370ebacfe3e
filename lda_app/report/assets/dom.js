// DOM helpers. All text from the corpus is inserted here, as text nodes; it is never parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Set an element's attributes, event listeners (`onclick`) and children. */
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Create an HTML element: `h("a", {href: "#map"}, "Map")`. */
function h(tag, attributes, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** Create an SVG element. */
function s(tag, attributes, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

/** Text from the corpus, in a `bdi` so that its direction does not affect the surrounding text. */
function data(text) {
  return h("bdi", null, text);
}

/** A button with a click handler. */
function button(label, onclick, attributes = {}) {
  return h("button", { type: "button", onclick, ...attributes }, label);
}

let fieldNumber = 0;

/** A form control with its label. */
function field(label, control, className = "field") {
  control.id ||= `field-${(fieldNumber += 1)}`;
  return h("div", { class: className }, h("label", { for: control.id }, label), control);
}

/** A `select` built from [value, label] pairs. */
function choice(options, chosen, onchange, attributes = {}) {
  return h(
    "select",
    { ...attributes, onchange: (event) => onchange(event.target.value) },
    options.map(([value, label]) =>
      h("option", { value, selected: String(value) === String(chosen) }, label),
    ),
  );
}

/** Announce a message to screen readers. */
function announce(message) {
  document.getElementById("announcer").textContent = message;
}

/** Download content as a JSON file. */
function download(name, content) {
  const url = URL.createObjectURL(
    new Blob([JSON.stringify(content, null, 2) + "\n"], { type: "application/json" }),
  );
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A button that copies text and confirms it. */
function copyButton(text, what) {
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
      announce(`${what} copied`);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(copy.parentElement.querySelector("pre, p"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      copy.textContent = "Press Ctrl+C to copy";
    }
    setTimeout(() => (copy.textContent = "Copy"), 2500);
  });
  copy.classList.add("quiet");
  copy.setAttribute("aria-label", `Copy ${what}`);
  return copy;
}

/** Debounce: call `act` once no call has come for `wait` milliseconds. */
function debounced(wait, act) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), wait);
  };
}
