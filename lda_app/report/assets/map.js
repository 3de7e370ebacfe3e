// Topic map: similar topics lie close together, and larger circles are more prevalent. A side panel lists a topic's
// words.

const MAP_SIZE = 560;
const LETTER = 6; // approximate width of a letter in a label
const LINE = 13; // height of a label
const RANKINGS = [
  ["relevance", "Relevance (λ)"],
  ["frex", "FREX"],
  ["lift", "Lift"],
];

let mapTopic = null;
let mapWord = null;
let ranking = "relevance";
let lambda = 0.6;

/** A topic's words in the order of the selected ranking: {word, p, score}. */
function rankedWords(topic, number = REPORT.shown_words) {
  const { words, p, frex } = described(topic);
  const weight = ranking === "lift" ? 0 : lambda;
  const score = (place) => {
    if (ranking === "frex") return frex[place];
    return Math.log(p[place]) - (1 - weight) * Math.log(REPORT.word_shares[words[place]]);
  };
  return words
    .map((word, place) => ({ word, p: p[place], score: score(place) }))
    .sort((a, b) => b.score - a.score || b.p - a.p)
    .slice(0, number);
}

function rankingControls(redraw) {
  const output = h("output", null, lambda.toFixed(2));
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 1,
    step: REPORT.lambdas[1] - REPORT.lambdas[0],
    value: lambda,
    class: "lambda",
    oninput: (event) => {
      lambda = Number(event.target.value);
      output.textContent = lambda.toFixed(2);
      redraw();
    },
  });
  const sliderField = field("λ, from 0 (exclusive) to 1 (probable)", slider, "field slider");
  sliderField.append(output);
  sliderField.hidden = ranking !== "relevance";
  const select = choice(RANKINGS, ranking, (value) => {
    ranking = value;
    sliderField.hidden = ranking !== "relevance";
    redraw();
  });
  return h("div", { class: "controls" }, field("Rank words by", select), sliderField);
}

/** A topic's words as bars: occurrences from the topic, over all occurrences in the corpus. */
function wordBars(topic, onword) {
  const words = rankedWords(topic);
  const share = shareOfTokens(topic);
  const most = Math.max(...words.map(({ word }) => REPORT.word_shares[word]));
  return h(
    "ol",
    { class: "word-bars" },
    words.map(({ word, p }) => {
      const [own, all] = [Math.min(p * share, REPORT.word_shares[word]), REPORT.word_shares[word]];
      const at = (value) => `${((value / most) * 100).toFixed(2)}%`;
      return h(
        "li",
        null,
        button(data(REPORT.words[word]), () => onword(word), {
          class: "word",
          "aria-pressed": String(word === mapWord),
        }),
        s(
          "svg",
          { class: "bar", height: 14, "aria-hidden": "true" },
          s("rect", { class: "bar-all", x: 0, y: 2, height: 10, width: at(all) }),
          s("rect", { class: "bar-value", x: 0, y: 2, height: 10, width: at(own) }),
        ),
        h("span", { class: "figure" }, probability(p)),
      );
    }),
  );
}

function shareOfTokens(topic) {
  return described(topic).token_share;
}

/** How a word's occurrences are shared among visible topics: [[topic, share], …], in descending order. */
function shownUsersOf(word) {
  const sums = new Map();
  for (const [topic, share] of usersOf(word)) {
    const root = rootOf(topic);
    if (!labels[root].hidden) sums.set(root, (sums.get(root) ?? 0) + share);
  }
  return [...sums].sort(([, a], [, b]) => b - a);
}

function wordUsers(word) {
  const users = shownUsersOf(word);
  return h(
    "section",
    { class: "users", "aria-live": "polite" },
    h("h4", null, "Topics that use ", h("q", null, data(REPORT.words[word]))),
    h("p", { class: "muted" }, "Share of the word's occurrences that comes from each topic."),
    h(
      "ol",
      { class: "user-list" },
      users.map(([topic, share]) =>
        h(
          "li",
          null,
          topicLink(topic),
          shareBar(share, null, 1),
          h("span", { class: "figure" }, percent(share)),
        ),
      ),
    ),
  );
}

const APART = 0.8; // of the sum of two radii: circles closer than this are pushed apart
const ROUNDS = 200;

/** Push overlapping circles apart so that each can be read and selected. */
function moveApart(placed, low, high) {
  for (let round = 0; round < ROUNDS; round += 1) {
    let moved = false;
    for (const [i, a] of placed.entries()) {
      for (const b of placed.slice(i + 1)) {
        const [dx, dy] = [b.x - a.x, b.y - a.y];
        const distance = Math.hypot(dx, dy) || 1e-6;
        const push = ((a.r + b.r) * APART - distance) / 2;
        if (push <= 0.01) continue;
        moved = true;
        for (const [circle, sign] of [
          [a, -1],
          [b, 1],
        ]) {
          circle.x = Math.min(
            high - circle.r,
            Math.max(low + circle.r, circle.x + (sign * push * (dx || 1e-6)) / distance),
          );
          circle.y = Math.min(
            high - circle.r,
            Math.max(low + circle.r, circle.y + (sign * push * dy) / distance),
          );
        }
      }
    }
    if (!moved) break;
  }
  return placed;
}

/** The circles of the map: {id, x, y, r}. */
function circles() {
  const shown = shownTopics();
  const places = shown.map((id) => described(id).place);
  const middle = [0, 1].map(
    (axis) => (Math.min(...places.map((at) => at[axis])) + Math.max(...places.map((at) => at[axis]))) / 2,
  );
  const reach = Math.max(
    ...places.flatMap((at) => [0, 1].map((axis) => Math.abs(at[axis] - middle[axis]))),
    1e-9,
  );
  const most = Math.max(...shown.map(prevalence));
  const largest = Math.min(44, Math.max(14, 195 / Math.sqrt(shown.length)));
  const at = scale(-reach, reach, largest + 6, MAP_SIZE - largest - 6);
  const placed = shown.map((id, i) => ({
    id,
    x: at(places[i][0] - middle[0]),
    y: MAP_SIZE - at(places[i][1] - middle[1]),
    r: Math.max(7, largest * Math.sqrt(prevalence(id) / most)),
  }));
  return moveApart(placed, 4, MAP_SIZE - 4);
}

/** Topic numbers, with a name or top word below where it fits; the most prevalent topics get space first. */
function mapLabels(placed) {
  const taken = placed.map(({ x, y }) => ({ left: x - 8, right: x + 8, top: y - 9, bottom: y + 5 }));
  const isFree = (box) =>
    taken.every(
      (other) =>
        box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom,
    );
  return placed.map(({ id, x, y }) => {
    const name = labels[id].label ?? firstWords(id, 1);
    const short = name.length > 16 ? `${name.slice(0, 15)}…` : name;
    const half = (short.length * LETTER) / 2;
    const box = { left: x - half, right: x + half, top: y + 6, bottom: y + 6 + LINE };
    const fits = box.left > 0 && box.right < MAP_SIZE && box.bottom < MAP_SIZE && isFree(box);
    if (fits) taken.push(box);
    return s(
      "text",
      { "text-anchor": "middle", x: x.toFixed(1), y: (y + 4).toFixed(1) },
      id,
      fits && s("tspan", { class: "map-name", x: x.toFixed(1), dy: "1.15em" }, short),
    );
  });
}

function drawMap(onselect) {
  const uses =
    mapWord === null ? null : new Map(shownUsersOf(mapWord));
  const placed = circles();
  return s(
    "svg",
    { class: "map", viewBox: `0 0 ${MAP_SIZE} ${MAP_SIZE}`, role: "group", "aria-label": "Map of topics" },
    placed.map(({ id, x, y, r }) => {
      const chosen = id === mapTopic;
      const used = uses ? (uses.get(id) ?? 0) : null;
      const choose = () => onselect(id);
      return s(
        "g",
        {
          class: `circle${chosen ? " chosen" : ""}`,
          role: "button",
          tabindex: 0,
          "aria-pressed": String(chosen),
          "aria-label": `Topic ${id}, ${topicName(id)}, ${percent(prevalence(id))}${used === null ? "" : `, ${percent(used)} of the word's occurrences`}`,
          transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
          onclick: choose,
          onkeydown: (event) => {
            if (event.key !== "Enter" && event.key !== " ") return;
            event.preventDefault();
            choose();
          },
        },
        s("title", null, `${id}: ${topicName(id)}, ${percent(prevalence(id))}`),
        s("circle", {
          r: r.toFixed(1),
          "--use": used === null ? null : used.toFixed(3),
          class: used === null ? "" : "used",
        }),
      );
    }),
    s("g", { class: "map-labels", "aria-hidden": "true" }, mapLabels(placed)),
  );
}

const map = {
  id: "map",
  title: "Topic map",
  needsTopics: true,
  render() {
    if (!shownTopics().includes(mapTopic)) [mapTopic] = shownTopics();
    const canvas = h("div", { class: "map-frame" });
    const side = h("section", { class: "map-side" });
    const bars = h("div");
    const users = h("div", { class: "map-users" });
    const drawWords = () => {
      bars.replaceChildren(
        wordBars(mapTopic, (word) => {
          mapWord = mapWord === word ? null : word;
          drawCanvas();
          const place = [...bars.querySelectorAll("button")].indexOf(document.activeElement);
          drawWords();
          bars.querySelectorAll("button")[place]?.focus();
        }),
      );
      users.replaceChildren(...(mapWord === null ? [] : [wordUsers(mapWord)]));
    };
    const drawCanvas = () => {
      const focused = canvas.contains(document.activeElement);
      canvas.replaceChildren(
        drawMap((id) => {
          mapTopic = id;
          draw();
          announce(`Topic ${id}, ${topicName(id)}`);
        }),
      );
      if (focused) canvas.querySelector(".chosen")?.focus();
    };
    const heading = h("div");
    const draw = () => {
      drawCanvas();
      const interval = prevalenceInterval(mapTopic);
      heading.replaceChildren(
        h("h3", null, h("span", { class: "topic-number" }, mapTopic), topicLink(mapTopic)),
        h(
          "p",
          { class: "muted" },
          `${percent(prevalence(mapTopic))} of a document on average`,
          ` (${level()} interval ${between(...interval)})`,
        ),
      );
      drawWords();
    };
    side.append(
      heading,
      rankingControls(drawWords),
      bars,
      h(
        "p",
        { class: "legend" },
        h("span", { class: "swatch value" }),
        " occurrences from this topic ",
        h("span", { class: "swatch all" }),
        " all occurrences in the corpus. The number is the word's probability in the topic. Select a word to see which topics use it.",
      ),
    );
    draw();
    return [
      h("h2", null, "Topic map"),
      h(
        "p",
        { class: "lead" },
        "Topics that are close together use similar words. A circle's area is proportional to the topic's mean share. The axes have no meaning, and overlapping circles are moved apart.",
      ),
      h("div", { class: "map-layout" }, h("div", { class: "map-left" }, canvas, users), side),
    ];
  },
};
