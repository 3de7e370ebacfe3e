// Elements. Whatever comes from the corpus enters the page here, as text nodes, and is never parsed.

const SVG = "http://www.w3.org/2000/svg";

/** Put attributes, event listeners (`onclick`) and children on an element. */
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

/** Make an HTML element: `h("a", {href: "#map"}, "Map")`. */
function h(tag, attributes, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** Make an SVG element. */
function s(tag, attributes, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

/** Text of the corpus: isolated, so that its direction does not turn what stands around it. */
function data(text) {
  return h("bdi", null, text);
}

/** A button that does something. */
function button(label, onclick, attributes = {}) {
  return h("button", { type: "button", onclick, ...attributes }, label);
}

let fieldNumber = 0;

/** A form control with its label. */
function field(label, control, className = "field") {
  control.id ||= `field-${(fieldNumber += 1)}`;
  return h("div", { class: className }, h("label", { for: control.id }, label), control);
}

/** A select of [value, label] pairs. */
function choice(options, chosen, onchange, attributes = {}) {
  return h(
    "select",
    { ...attributes, onchange: (event) => onchange(event.target.value) },
    options.map(([value, label]) =>
      h("option", { value, selected: String(value) === String(chosen) }, label),
    ),
  );
}

/** Let a screen reader say something. */
function announce(message) {
  document.getElementById("announcer").textContent = message;
}

/** Offer a file to be saved. */
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

/** A button that copies a text, and says so. */
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
      copy.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => (copy.textContent = "Copy"), 2500);
  });
  copy.classList.add("quiet");
  copy.setAttribute("aria-label", `Copy the ${what}`);
  return copy;
}

/** Wait until calls have stopped for a moment. */
function debounced(wait, act) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), wait);
  };
}
