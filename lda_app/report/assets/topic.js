// The view of a single topic.

/** A text with words highlighted by the probability that they come from the topic. */
function marked(text, found) {
  const parts = [];
  let at = 0;
  for (const [start, end, strength] of found) {
    if (strength < 0.05) continue;
    if (start > at) parts.push(text.slice(at, start));
    parts.push(
      h(
        "mark",
        { "--strength": strength.toFixed(2), title: `${percent(strength)} probability that this word comes from the topic` },
        text.slice(start, end),
      ),
    );
    at = end;
  }
  parts.push(text.slice(at));
  return parts;
}

/** A document's text with a topic's words highlighted, filled in once the text is loaded. */
function markedText(doc, topic, className = "text", ondrawn = () => {}) {
  const place = h("div", { class: className, dir: "auto" }, "…");
  Promise.all([STORE.text(doc.row), STORE.reader(doc.row)]).then(([text, reader]) => {
    if (text === null)
      place.replaceChildren(h("p", { class: "muted" }, "The corpus was built without texts."));
    else {
      const shown = text.trim();
      place.replaceChildren(...marked(shown, reader.responsibilities(shown, doc.parts, membersOf(topic))));
    }
    ondrawn(place);
  });
  return place;
}

/** A document's metadata on one line. */
function metadataLine(doc) {
  const entries = [...doc.metadata, ...(doc.split === "train" ? [] : [["split", doc.split]])];
  return h(
    "p",
    { class: "metadata" },
    entries.map(([name, value]) =>
      h("span", null, h("span", { class: "muted" }, data(name), " "), data(value), " "),
    ),
  );
}

function documentCard(doc, topic) {
  const share = shownShares(doc).find((part) => part.topic === topic);
  const open = button(
    "Show full text",
    () => {
      card.classList.toggle("open");
      const isOpen = card.classList.contains("open");
      open.textContent = isOpen ? "Show less" : "Show full text";
      open.setAttribute("aria-expanded", String(isOpen));
    },
    { class: "quiet", "aria-expanded": "false", hidden: true },
  );
  const card = h(
    "article",
    { class: "card" },
    h(
      "header",
      null,
      h("h4", null, h("a", { href: `#documents/${doc.row}` }, data(doc.id))),
      share &&
        h(
          "span",
          { class: "figure" },
          percent(share.share),
          h("span", { class: "muted" }, ` ${intervalOf(share)}`),
        ),
    ),
    metadataLine(doc),
    markedText(doc, topic, "text clamped", (text) => (open.hidden = text.scrollHeight <= text.clientHeight)),
    open,
  );
  return card;
}

function topicFacts(topic) {
  const { coherence } = described(topic);
  const interval = prevalenceInterval(topic);
  return h(
    "dl",
    { class: "statistics few" },
    statistic("Prevalence", percent(prevalence(topic)), `${level()} interval ${between(...interval)}`),
    statistic(
      "Coherence",
      decimals(coherence, 3),
      `average over topics ${decimals((REPORT.labelled ?? REPORT).coherence.value, 3)}`,
    ),
    stabilityOf(topic) && statistic("Stability", foundIn(topic), stabilityNote(topic)),
  );
}

function stabilityNote(topic) {
  return `with other seeds have a matching topic; mean similarity ${decimals(stabilityOf(topic).mean_similarity, 2)}`;
}

function nearestList(topic) {
  const shown = described(topic).nearest.filter(
    ([other]) => rootOf(other) !== topic && !labels[rootOf(other)].hidden,
  );
  return h(
    "ol",
    { class: "nearest" },
    shown.map(([other, distance]) =>
      h("li", null, topicLink(rootOf(other)), h("span", { class: "figure" }, decimals(distance, 2))),
    ),
  );
}

function topicSwitch(topic) {
  const shown = shownTopics();
  const place = shown.indexOf(topic);
  const step = (offset, label) => {
    const to = shown[(place + offset + shown.length) % shown.length];
    return h(
      "a",
      { class: "button", href: `#topic/${to}`, "aria-label": `${label}: ${topicName(to)}` },
      offset < 0 ? "←" : "→",
    );
  };
  return h(
    "div",
    { class: "controls switch" },
    step(-1, "Previous topic"),
    field(
      "Topic",
      choice(
        shown.map((id) => [id, `${id}: ${topicName(id)}`]),
        topic,
        (to) => (location.hash = `#topic/${to}`),
      ),
    ),
    step(1, "Next topic"),
  );
}

async function representativeCards(topic) {
  const rows = await STORE.representative(topic);
  const docs = await Promise.all(rows.map((row) => STORE.document(row)));
  return docs.map((doc) => documentCard(doc, topic));
}

function hiddenTopic(topic) {
  return [
    h("h2", null, "Topic ", h("span", { class: "topic-number" }, topic)),
    h("p", null, `Topic ${topic} is hidden. Unhide it in `, h("a", { href: "#edit" }, "Edit"), "."),
  ];
}

const topicView = {
  id: "topic",
  title: "Topic",
  needsTopics: true,
  render([asked]) {
    const topic = /^\d+$/.test(asked) && asked in TOPICS ? rootOf(Number(asked)) : shownTopics()[0];
    if (labels[topic].hidden) return hiddenTopic(topic);
    const members = membersOf(topic).filter((id) => id !== topic);
    const words = h("div");
    const drawWords = () =>
      words.replaceChildren(
        wordBars(topic, (word) => {
          mapWord = word;
          mapTopic = topic;
          location.hash = "#map";
        }),
      );
    drawWords();
    const cards = h("div", { class: "cards" }, STORE.available && h("p", { class: "muted" }, "…"));
    if (STORE.available) representativeCards(topic).then((made) => cards.replaceChildren(...made));
    return [
      topicSwitch(topic),
      h("h2", null, h("span", { class: "topic-number" }, topic), data(topicName(topic))),
      members.length > 0 &&
        h(
          "p",
          null,
          "Merged with ",
          members.map((id) => `topic ${id}`).join(", "),
          isMixture(topic) &&
            ". Its words are approximate until you generate the report again.",
        ),
      topicFacts(topic),
      h(
        "div",
        { class: "topic-layout" },
        h(
          "div",
          null,
          h("section", null, h("h3", null, "Words"), rankingControls(drawWords), words),
          h(
            "section",
            null,
            h("h3", null, "Nearest topics"),
            h("p", { class: "muted" }, "Jensen–Shannon distance: 0 means identical, 1 means no words in common."),
            nearestList(topic),
          ),
        ),
        h(
          "section",
          null,
          h("h3", null, "Representative documents"),
          STORE.available
            ? h(
                "p",
                { class: "muted" },
                `Documents with the largest share of this topic, with ${credibleLevel()} credible intervals. The stronger the highlight, the more likely the word comes from this topic.`,
              )
            : h("p", null, "This report was generated without documents."),
          cards,
        ),
      ),
    ];
  },
};
