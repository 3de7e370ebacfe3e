// The frame: which part is shown, light or dark, and paper.

const VIEWS = [overview, map, topicView, documents, groups, quality, editView, quiz];
const PRINTED = [overview, map, groups, quality];

function currentView() {
  const [id, ...rest] = location.hash.slice(1).split("/");
  return [VIEWS.find((view) => view.id === id) ?? overview, rest];
}

function allHidden(view) {
  return [
    h("h2", null, view.title),
    h("p", null, "All topics are hidden: show some again in ", h("a", { href: "#edit" }, "Edit"), "."),
  ];
}

/** Draw the part that the address names. */
function show({ focus = false } = {}) {
  const [view, parameters] = currentView();
  const content = document.getElementById("content");
  const drawn = view.needsTopics && !shownTopics().length ? allHidden(view) : view.render(parameters);
  content.replaceChildren(...drawn.flat(Infinity).filter(Boolean));
  content.dataset.view = view.id;
  for (const link of document.querySelectorAll("#masthead nav a")) {
    if (link.getAttribute("href") === `#${view.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document
    .querySelector("#masthead nav [aria-current]")
    ?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (focus) {
    scrollTo(0, 0);
    content.focus({ preventScroll: true });
    announce(content.querySelector("h2")?.textContent ?? view.title);
  }
}

function themeSwitch() {
  const themes = ["auto", "light", "dark"];
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("lda-app theme", theme);
    } catch {
      // then it lasts as long as the page is open
    }
  };
  let theme = "auto";
  try {
    theme = localStorage.getItem("lda-app theme") ?? "auto";
  } catch {
    // no storage: as the system has it
  }
  set(themes.includes(theme) ? theme : "auto");
  const control = choice(
    themes.map((name) => [name, name]),
    document.documentElement.dataset.theme,
    set,
    { "aria-label": "Colours" },
  );
  return field("Colours", control, "field theme");
}

function masthead() {
  const edited = h("a", { href: "#edit", class: "edited", hidden: !isEdited() }, "Unsaved names");
  LISTENERS.add(() => (edited.hidden = !isEdited()));
  document.getElementById("masthead").append(
    h(
      "div",
      { class: "title" },
      h("h1", null, data(REPORT.corpus.name)),
      h("p", null, `${REPORT.model.num_topics} topics of ${counted(REPORT.num_documents, "document")}`),
      edited,
      themeSwitch(),
    ),
    h(
      "nav",
      { "aria-label": "Parts of the report" },
      VIEWS.map(({ id, title }) => h("a", { href: `#${id}` }, title)),
    ),
  );
  document
    .getElementById("colophon")
    .append(
      h(
        "p",
        null,
        `Made by lda-app ${REPORT.version}. Intervals are of ${level()}, those of a document's shares of ${credibleLevel()}. ${STORE.origin}`,
      ),
    );
}

/** Paper has all parts that are not for reading on a screen alone. */
function layOutForPaper() {
  document
    .getElementById("content")
    .replaceChildren(
      ...PRINTED.filter((view) => !view.needsTopics || shownTopics().length).map((view) =>
        h("section", { class: "printed" }, view.render([])),
      ),
    );
}

masthead();
addEventListener("hashchange", () => show({ focus: true }));
addEventListener("beforeprint", layOutForPaper);
addEventListener("afterprint", () => show());
show();
performance.mark("drawn");
