// Rename, merge and hide topics; download the labels as labels.json or load them from a file.

function editRow(id, redraw) {
  const entry = labels[id];
  const label = h("input", {
    type: "text",
    value: entry.label ?? "",
    maxlength: LONGEST_LABEL,
    "aria-label": `Name of topic ${id}`,
    placeholder: firstWords(id, NAME_WORDS),
    onchange: (event) => edit(id, { label: event.target.value.trim() || null }),
  });
  const targets = TOPICS.filter(
    (topic) => topic.id !== id && rootOf(topic.id) !== id && labels[topic.id].merged_into === null,
  );
  const target = choice(
    [["", "–"], ...targets.map((topic) => [topic.id, `${topic.id}: ${topicName(topic.id)}`])],
    entry.merged_into === null ? "" : rootOf(id),
    (value) => {
      edit(id, { merged_into: value === "" ? null : Number(value) });
      redraw(`merge-${id}`);
    },
    { "aria-label": `Merge topic ${id} into`, "data-focus": `merge-${id}` },
  );
  const hidden = h("input", {
    type: "checkbox",
    checked: entry.hidden,
    "aria-label": `Hide topic ${id}`,
    onchange: (event) => edit(id, { hidden: event.target.checked }),
  });
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, h("span", { class: "topic-number" }, id)),
    h("td", null, label),
    h("td", { class: "words" }, data(firstWords(id, 8))),
    h("td", { class: "figure" }, percent(TOPICS[id].prevalence)),
    h("td", { class: "target" }, h("span", { class: "inline-label", "aria-hidden": "true" }, "into"), target),
    h(
      "td",
      { class: "centered" },
      h("span", { class: "inline-label", "aria-hidden": "true" }, "hide"),
      hidden,
    ),
  );
}

function labelFileInput(redraw) {
  const message = h("p", { role: "status", class: "muted" });
  const input = h("input", {
    type: "file",
    accept: ".json,application/json",
    onchange: async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      try {
        readLabels(JSON.parse(await file.text()));
        redraw();
        announce("Labels loaded");
      } catch (error) {
        message.textContent = `Could not load the file: ${error.message}`;
      }
    },
  });
  return h("div", null, field("Load labels.json", input), message);
}

const editView = {
  id: "edit",
  title: "Edit",
  render() {
    const body = h("div");
    const draw = (focus) => {
      const ids = TOPICS.map(({ id }) => id).sort(
        (a, b) => TOPICS[b].prevalence - TOPICS[a].prevalence || a - b,
      );
      body.replaceChildren(
        h(
          "div",
          { class: "controls" },
          button("Download labels.json", () => download("labels.json", labelsFile()), { class: "primary" }),
          button("Undo all edits", () => {
            undoEdits();
            draw();
          }),
          labelFileInput(() => draw()),
        ),
        h(
          "div",
          { class: "wide", tabindex: 0, role: "region", "aria-label": "Topics to edit" },
          h(
            "table",
            { class: "edits" },
            h(
              "thead",
              null,
              h(
                "tr",
                null,
                ["Topic", "Name", "Words", "Share", "Merge into", "Hide"].map((name) =>
                  h("th", { scope: "col" }, name),
                ),
              ),
            ),
            h(
              "tbody",
              null,
              ids.map((id) => editRow(id, draw)),
            ),
          ),
        ),
      );
      if (focus) body.querySelector(`[data-focus="${focus}"]`)?.focus();
    };
    draw();
    return [
      h("h2", null, "Edit topics"),
      h(
        "p",
        { class: "lead" },
        "Changes to names, merges and hidden topics apply to the whole page immediately ",
        STORE.aboutEdits(),
      ),
      body,
    ];
  },
};
