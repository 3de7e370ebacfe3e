// Prevalence by metadata: groups, trends over time, and differences between two groups.

let groupColumn = 0;
let groupTopic = null;
let compared = null;

/** Mean share of a topic in each group, with its interval; topics merged on the page are summed. */
function groupMeans(grouping, topic) {
  const exact = LABELLED.get(topic);
  const [means, columns] = isMadeOf(topic, exact?.members)
    ? [REPORT.labelled.groups[REPORT.groups.indexOf(grouping)], [exact.column]]
    : [grouping, membersOf(topic)];
  return means.names.map((name, g) => {
    const value = columns.reduce((sum, column) => sum + means.mean[g][column], 0);
    // The sum of the parts' standard errors is an upper bound on that of the merged topic.
    const error = columns.reduce((sum, column) => sum + means.error[g][column], 0);
    const [low, high] =
      columns.length === 1
        ? [means.low[g][columns[0]], means.high[g][columns[0]]]
        : [Math.max(0, value - REPORT.quantile * error), Math.min(1, value + REPORT.quantile * error)];
    return { name, value, low, high, error, number: means.num_documents[g] };
  });
}

/** A year or month as a number of years. */
function timeOf(name) {
  const [year, month = 1] = name.split("-").map(Number);
  return year + (month - 1) / 12;
}

function timeName(grouping) {
  const byTime = new Map(grouping.names.map((name) => [timeOf(name).toFixed(4), name]));
  return (x) => byTime.get(x.toFixed(4)) ?? String(Math.round(x));
}

function timeChart(grouping, topic) {
  const means = groupMeans(grouping, topic).filter(({ number }) => number > 0);
  const points = means.map(({ name, value }) => [timeOf(name), value]);
  const band = means.map(({ name, low, high }) => [timeOf(name), low, high]);
  const every = Math.max(1, Math.ceil(points.length / (innerWidth < 600 ? 4 : 8)));
  return lineChart({
    title: `Share of ${topicName(topic)} over time`,
    lines: [{ points, band }],
    xLabel: grouping.column,
    yLabel: "mean share",
    xFormat: timeName(grouping),
    yFormat: percent,
    xTicks: points.filter((_, i) => i % every === 0).map(([x]) => x),
    fromZero: true,
  });
}

function smallMultiples(grouping, onchoose) {
  return h(
    "div",
    { class: "multiples" },
    shownTopics().map((id) =>
      h(
        "button",
        {
          type: "button",
          class: "multiple",
          "aria-pressed": String(id === groupTopic),
          onclick: () => onchoose(id),
        },
        h("span", null, data(topicName(id))),
        sparkline(grouping, id),
      ),
    ),
  );
}

function sparkline(grouping, topic) {
  const means = groupMeans(grouping, topic).filter(({ number }) => number > 0);
  const x = scale(timeOf(means[0].name), timeOf(means.at(-1).name), 2, 158);
  const y = scale(0, Math.max(...means.map(({ value }) => value)), 38, 4);
  const d = means
    .map(({ name, value }, i) => `${i ? "L" : "M"}${x(timeOf(name)).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
  return s(
    "svg",
    { viewBox: "0 0 160 42", class: "sparkline", "aria-hidden": "true" },
    s("path", { class: "line", d }),
  );
}

/** Difference in mean share between two groups for each topic, with its interval. */
function differences(grouping, [first, second]) {
  return shownTopics()
    .map((id) => {
      const means = groupMeans(grouping, id);
      const value = means[first].value - means[second].value;
      const half = REPORT.quantile * Math.hypot(means[first].error, means[second].error);
      return { id, value, low: value - half, high: value + half };
    })
    .sort((a, b) => b.value - a.value);
}

function points(difference) {
  return `${difference > 0 ? "+" : ""}${decimals(difference * 100, 1)}`;
}

function comparison(grouping, redraw) {
  const options = grouping.names.map((name, g) => [g, name]);
  compared ??= grouping.time ? [options.length - 1, 0] : [0, 1];
  const pick = (place) =>
    choice(options, compared[place], (value) => {
      compared[place] = Number(value);
      redraw();
    });
  const rows = differences(grouping, compared).map((row) => ({
    ...row,
    label: topicLink(row.id),
    note: `${between(row.low, row.high, points).replace("–", " to ")} points`,
  }));
  return h(
    "section",
    null,
    h("h3", null, "Compare two groups"),
    h("div", { class: "controls" }, field("Share in", pick(0)), field("minus share in", pick(1))),
    h(
      "p",
      { class: "muted" },
      "Difference in mean share, ",
      data(grouping.names[compared[0]]),
      " minus ",
      data(grouping.names[compared[1]]),
      `, in percentage points, with ${level()} intervals. If an interval excludes 0, sampling noise alone is an unlikely explanation.`,
    ),
    intervalRows(rows, { zero: true, format: points }),
  );
}

const groups = {
  id: "groups",
  title: "Groups and time",
  needsTopics: true,
  render() {
    const { groups: all } = REPORT;
    if (!all.length) {
      return [
        h("h2", null, "Groups and time"),
        h(
          "p",
          null,
          "The corpus has no metadata columns with repeated values or dates. To compare groups here, keep metadata columns when you build the corpus.",
        ),
      ];
    }
    const body = h("div");
    const shown = shownTopics();
    groupTopic = shown.includes(groupTopic) ? groupTopic : shown[0];
    const draw = () => {
      const grouping = all[groupColumn];
      const topicChoice = choice(
        shown.map((id) => [id, `${id}: ${topicName(id)}`]),
        groupTopic,
        (value) => {
          groupTopic = Number(value);
          draw();
        },
      );
      const redraw = () => {
        draw();
      };
      const means = groupMeans(grouping, groupTopic);
      const chart = grouping.time
        ? [
            timeChart(grouping, groupTopic),
            h("h3", null, "All topics over time"),
            h("p", { class: "muted" }, "Each chart has its own scale."),
            smallMultiples(grouping, (id) => {
              groupTopic = id;
              draw();
              body.querySelector(".multiple[aria-pressed=true]")?.focus();
            }),
          ]
        : intervalRows(
            means
              .toSorted((a, b) => b.value - a.value)
              .map((mean) => ({
                ...mean,
                label: data(mean.name),
                note: `${between(mean.low, mean.high)}; ${counted(mean.number, "document")}`,
              })),
          );
      body.replaceChildren(
        h(
          "div",
          { class: "controls" },
          field(
            "Metadata",
            choice(
              all.map(({ column }, i) => [i, column]),
              groupColumn,
              (value) => {
                groupColumn = Number(value);
                compared = null;
                draw();
              },
            ),
          ),
          field("Topic", topicChoice),
        ),
        h(
          "section",
          null,
          h("h3", null, h("span", null, "Share of ", topicLink(groupTopic), " by ", data(grouping.column))),
          h(
            "p",
            { class: "muted" },
            `Mean share in the training documents of each group, with ${level()} intervals.`,
            grouping.left_out > 0 && ` ${counted(grouping.left_out, "rarer value")} not shown.`,
          ),
          chart,
          h(
            "p",
            { class: "muted" },
            "This is a quick estimate from posterior means. For publication, use ",
            h("code", null, "lda-app prevalence RUN --by COLUMN"),
            ", which draws shares from the exact posterior.",
          ),
        ),
        comparison(grouping, redraw),
      );
    };
    draw();
    return [h("h2", null, "Groups and time"), body];
  },
};
