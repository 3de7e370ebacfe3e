// Training curves and model quality.

function trainingCurves() {
  const { curve } = REPORT;
  const xName = curve.epoch ? "epoch" : "step";
  const series = [
    ["loss", "Loss in nats per token (negative ELBO of training batches)"],
    ["validation_perplexity", "Perplexity of documents held out from training"],
  ];
  return series.map(([name, label]) => {
    const points = (curve[xName] ?? [])
      .map((x, i) => [x, curve[name]?.[i] ?? null])
      .filter(([x, y]) => x !== null && y !== null);
    if (points.length < 2) return null;
    const chart = lineChart({
      title: label,
      lines: [{ points }],
      xLabel: xName === "epoch" ? "epochs" : "steps",
      yLabel: name === "loss" ? "nats per token" : "perplexity",
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
      : h("p", null, `No two topics share half or more of their top ${words} words.`),
    h("h3", null, "Rarely used topics"),
    dead.length
      ? h(
          "ul",
          null,
          dead.map((id) => h("li", null, topicLink(id), ` (${id}): ${percent(TOPICS[id].prevalence)}`)),
        )
      : h("p", null, `Every topic has a mean share of at least ${percent(least)}, a tenth of a uniform share.`),
  ];
}

/** A table whose first `numNames` columns are names and the rest figures. */
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

/** Coverage of the topic-share intervals, as measured by `lda-app eval --calibration`. */
function calibrationTable(calibration) {
  return [
    h(
      "p",
      { class: "muted" },
      "Documents were simulated from the model itself, so their true topic shares are known. For each level, the table gives the percentage of intervals that contain the true share, ± margin of error. A small p means that the ranks of the true shares are not uniform.",
    ),
    figuresTable("Calibration", calibration, 3),
  ];
}

/** Other programs on the same corpus, as measured by `lda-app compare`. */
function comparisonTable(compared) {
  return [
    h(
      "p",
      { class: "muted" },
      "own: perplexity of the test documents under the program's own inference; ref: perplexity under the same inference for all programs; TD: topic diversity, the proportion of distinct words among the top 25 of all topics. Lower perplexity is better; ± is half the range over seeds.",
    ),
    figuresTable("Comparison with other programs", compared, 1),
    h(
      "ul",
      { class: "muted" },
      compared.notes.map((note) => h("li", null, data(note))),
    ),
  ];
}

/** All training settings and software versions. */
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
    h("div", { class: "columns" }, table("Training", given), table("Software", versions)),
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
          `Held-out perplexity ${oneDecimal(perplexity.value)}${perplexity.interval ? ` (${level()} interval over documents ${between(...perplexity.interval, oneDecimal)})` : ""}. Half of the words of each document in the ${perplexity.split} split are predicted from the other half.`,
        ),
      h(
        "section",
        null,
        h("h3", null, "Training"),
        curves.length
          ? h("div", { class: "columns" }, curves)
          : h("p", null, "Training was too short to plot a curve."),
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
          h("h3", null, "Calibration of document-level intervals"),
          calibrationTable(calibration),
        ),
      compared &&
        h("section", null, h("h3", null, "Other programs on this corpus"), comparisonTable(compared)),
      settings(),
    ];
  },
};
