// How the training went, and where the model is weak.

function trainingCurves() {
  const { curve } = REPORT;
  const xName = curve.epoch ? "epoch" : "step";
  const series = [
    ["loss", "Loss, nats a token (negative ELBO of training batches)"],
    ["validation_perplexity", "Perplexity of documents held out of training"],
  ];
  return series.map(([name, label]) => {
    const points = (curve[xName] ?? [])
      .map((x, i) => [x, curve[name]?.[i] ?? null])
      .filter(([x, y]) => x !== null && y !== null);
    if (points.length < 2) return null;
    const chart = lineChart({
      title: label,
      lines: [{ points }],
      xLabel: xName === "epoch" ? "times that the corpus was read" : "steps",
      yLabel: name === "loss" ? "nats a token" : "perplexity",
      yFormat: (y) => (name === "loss" ? decimals(y, 2) : whole(y)),
      xFormat: (x) => (Number.isInteger(x) ? String(x) : x.toFixed(1)),
    });
    return h("figure", null, h("figcaption", null, label), chart);
  });
}

function weakTopics() {
  const { duplicate_words: words, least_share: least } = REPORT.quality;
  const isAsTrained = (id) => membersOf(id).length === 1 && !labels[id].hidden;
  const dead = REPORT.quality.dead.filter(isAsTrained);
  const duplicates = REPORT.quality.duplicates.filter(
    ({ topic, other }) => isAsTrained(topic) && isAsTrained(other),
  );
  return [
    h("h3", null, "Duplicate topics"),
    duplicates.length
      ? h(
          "ul",
          null,
          duplicates.map(({ topic, other, shared_words: shared }) =>
            h(
              "li",
              null,
              topicLink(topic),
              ` (${topic}) and `,
              topicLink(other),
              ` (${other}) share ${shared} of their top ${words} words`,
            ),
          ),
        )
      : h("p", null, `No two topics share half of their top ${words} words.`),
    h("h3", null, "Topics hardly used"),
    dead.length
      ? h(
          "ul",
          null,
          dead.map((id) => h("li", null, topicLink(id), ` (${id}): ${percent(TOPICS[id].prevalence)}`)),
        )
      : h("p", null, `Every topic has a mean share of at least ${percent(least)}, a tenth of an even share.`),
  ];
}

/** A table of texts, names first and figures after them. */
function figuresTable(label, { titles, rows }, numNames) {
  const cells = (row) => row.slice(numNames).map((value) => h("td", { class: "figure" }, data(value)));
  const names = (row) => row.slice(1, numNames).map((value) => h("td", null, data(value)));
  return h(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": label },
    h(
      "table",
      { class: "plain" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          titles.map((title, i) =>
            h("th", { scope: "col", class: i < numNames ? null : "figure" }, data(title)),
          ),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map((row) => h("tr", null, h("th", { scope: "row" }, data(row[0])), names(row), cells(row))),
      ),
    ),
  );
}

/** Whether intervals of topic shares hold the truth, as `lda-app eval --calibration` measured it. */
function calibrationTable(calibration) {
  return [
    h(
      "p",
      { class: "muted" },
      "Documents were drawn from the model itself, so that their topics are known: the table says how many intervals of each level hold them, in percent ± the margin. p is small where the ranks of the truth are not uniform.",
    ),
    figuresTable("Calibration", calibration, 3),
  ];
}

/** Other programs on the same corpus, as `lda-app compare` measured them. */
function comparisonTable(compared) {
  return [
    h(
      "p",
      { class: "muted" },
      "own: perplexity of the test documents by the program's own inference; ref: by one inference that all share; TD: distinct words among the top 25 of all topics. Lower perplexity is better; ± is half of the range over seeds.",
    ),
    figuresTable("Comparison with other programs", compared, 1),
    h(
      "ul",
      { class: "muted" },
      compared.notes.map((note) => h("li", null, data(note))),
    ),
  ];
}

/** How the model was made: every setting, and the versions of what made it. */
function settings() {
  const { settings: given, versions } = REPORT.model;
  const lines = (entries) =>
    Object.entries(entries).map(([name, value]) =>
      h("tr", null, h("th", { scope: "row" }, name.replaceAll("_", " ")), h("td", null, data(String(value)))),
    );
  const table = (caption, entries) =>
    h("table", { class: "plain" }, h("caption", null, caption), h("tbody", null, lines(entries)));
  return h(
    "details",
    null,
    h("summary", null, "Settings and versions"),
    h("div", { class: "columns" }, table("The training", given), table("The programs", versions)),
  );
}

const quality = {
  id: "quality",
  title: "Quality",
  render() {
    const { perplexity, calibration, comparison: compared } = REPORT;
    const curves = trainingCurves().filter(Boolean);
    return [
      h("h2", null, "Quality"),
      perplexity &&
        h(
          "p",
          null,
          `Held-out perplexity ${oneDecimal(perplexity.value)}${perplexity.interval ? ` (${level()} interval over documents ${between(...perplexity.interval, oneDecimal)})` : ""}: half of the words of each document of the split ${perplexity.split} are predicted from the other half.`,
        ),
      h(
        "section",
        null,
        h("h3", null, "Training"),
        curves.length
          ? h("div", { class: "columns" }, curves)
          : h("p", null, "The training was too short to draw a curve."),
      ),
      h(
        "div",
        { class: "columns" },
        h("section", null, weakTopics()),
        h(
          "section",
          null,
          h("h3", null, "Diversity"),
          h(
            "p",
            null,
            `${percent(REPORT.quality.diversity)} of the top ${REPORT.quality.diversity_words} words of all topics are distinct.`,
          ),
        ),
      ),
      calibration &&
        h(
          "section",
          null,
          h("h3", null, "Calibration of the documents' intervals"),
          calibrationTable(calibration),
        ),
      compared &&
        h("section", null, h("h3", null, "Other programs on this corpus"), comparisonTable(compared)),
      settings(),
    ];
  },
};
