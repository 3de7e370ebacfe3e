// Overview: key figures of the corpus and model, and a table of topics.

/** A named figure with an optional note. */
function statistic(name, value, note) {
  return h(
    "div",
    { class: "statistic" },
    h("dt", null, name),
    h("dd", { class: "value" }, value),
    note && h("dd", { class: "note" }, note),
  );
}

function topicLink(topic, text) {
  return h("a", { href: `#topic/${topic}` }, data(text ?? topicName(topic)));
}

function corpusStatistics() {
  const { corpus, model, perplexity, coherence, quality, stability } = REPORT;
  const splits = Object.entries(corpus.splits);
  const total = (key) => splits.reduce((sum, [, split]) => sum + split[key], 0);
  const parts = splits.map(([name, { documents }]) => `${whole(documents)} ${name}`).join(", ");
  return h(
    "dl",
    { class: "statistics" },
    statistic("Documents", whole(total("documents")), splits.length > 1 ? parts : null),
    statistic("Tokens", whole(total("tokens")), `${whole(corpus.num_words)} distinct words`),
    statistic("Topics", whole(model.num_topics), `seed ${model.seed}`),
    perplexity &&
      statistic(
        "Held-out perplexity",
        oneDecimal(perplexity.value),
        `${perplexity.interval ? `${level()} interval ${between(...perplexity.interval, oneDecimal)}; ` : ""}document completion, ${counted(perplexity.num_documents, "document")}`,
      ),
    statistic(
      "Coherence",
      decimals(coherence.value, 3),
      `NPMI over documents, top ${coherence.num_top_words} words; ranges from −1 to 1`,
    ),
    statistic(
      "Diversity",
      percent(quality.diversity),
      `distinct words among the top ${quality.diversity_words} of all topics`,
    ),
    stability &&
      statistic(
        "Stability",
        percent(stability.found_share),
        `of topics found again in another run, averaged over ${counted(stability.num_runs, "run")}`,
      ),
  );
}

/** The level of all intervals except those of a document's shares. */
function level() {
  return `${Math.round(REPORT.confidence * 100)}%`;
}

/** The level of the credible intervals for a document's shares. */
function credibleLevel() {
  return `${Math.round(REPORT.level * 100)}%`;
}

function stabilityOf(topic) {
  return REPORT.stability?.topics?.find(({ id }) => id === topic) ?? null;
}

/** All topics: name, prevalence, words, coherence. */
function topicTable() {
  const shown = shownTopics();
  const most = Math.max(...shown.map((id) => prevalenceInterval(id)[1]));
  const columns = ["Topic", "Share", "Words", "Coherence", REPORT.stability && "Found in"].filter(Boolean);
  return h(
    "table",
    { class: "topics" },
    h(
      "caption",
      null,
      `Topics by mean share over ${counted(REPORT.num_documents, "training document")}, with ${level()} intervals`,
    ),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        columns.map((name, i) => h("th", { scope: "col", class: i > 2 ? "figure" : null }, name)),
      ),
    ),
    h(
      "tbody",
      null,
      shown.map((id) =>
        h(
          "tr",
          null,
          h("th", { scope: "row" }, h("span", { class: "topic-number" }, id), topicLink(id)),
          h(
            "td",
            { class: "share" },
            h("span", { class: "figure" }, percent(prevalence(id))),
            shareBar(prevalence(id), prevalenceInterval(id), most),
          ),
          h("td", { class: "words" }, data(firstWords(id, 10))),
          h(
            "td",
            { class: "figure" },
            h("span", { class: "inline-label" }, "coherence"),
            decimals(described(id).coherence, 3),
          ),
          REPORT.stability &&
            h("td", { class: "figure" }, h("span", { class: "inline-label" }, "found in"), foundIn(id)),
        ),
      ),
    ),
  );
}

function foundIn(topic) {
  const stable = stabilityOf(topic);
  return stable ? `${stable.found_in} of ${counted(REPORT.stability.num_runs, "run")}` : "–";
}

function leftOut() {
  const reasons = Object.entries(REPORT.corpus.left_out ?? {});
  const warnings = Object.entries(REPORT.corpus.warnings ?? {});
  if (!reasons.length && !warnings.length) return h("p", null, "No documents were excluded.");
  const table = (caption, rows) =>
    rows.length > 0 &&
    h(
      "table",
      { class: "plain" },
      h("caption", null, caption),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Count"), h("th", { scope: "col" }, "Description"))),
      h(
        "tbody",
        null,
        rows.map(([what, number]) =>
          h("tr", null, h("td", { class: "figure" }, whole(number)), h("td", null, data(what))),
        ),
      ),
    );
  return [
    table("Excluded documents, by reason", reasons),
    table("Warnings from building the corpus", warnings),
  ];
}

const overview = {
  id: "overview",
  title: "Overview",
  render() {
    return [
      h("h2", null, "Overview"),
      corpusStatistics(),
      shownTopics().length ? topicTable() : h("p", null, "All topics are hidden."),
      h(
        "div",
        { class: "columns" },
        h(
          "section",
          null,
          h("h3", null, "Methods paragraph for a paper"),
          h(
            "div",
            { class: "quote" },
            h("p", null, data(REPORT.methods)),
            copyButton(REPORT.methods, "methods paragraph"),
          ),
        ),
        h(
          "section",
          null,
          h("h3", null, "References (BibTeX)"),
          h(
            "div",
            { class: "quote" },
            h("pre", { tabindex: 0 }, REPORT.bibtex),
            copyButton(REPORT.bibtex, "BibTeX entries"),
          ),
        ),
      ),
      h("section", null, h("h3", null, "Excluded documents"), leftOut()),
    ];
  },
};
