// Search, filter and read documents. Only the rows in view are rendered.

const ROW_HEIGHT = 60;
const HIGHEST = 12_000_000; // pixels; browsers limit an element's height
const OVERSCAN = 6;
const SHOWN_SHARES = 8;
const LEAST_SHARES = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75];

const query = { words: "", topic: null, least: 0.05, column: null, value: null, order: "corpus" };

/** A virtual list: only the rows in view are in the DOM. */
class VirtualList {
  constructor(onopen) {
    this.onopen = onopen;
    this.found = { total: 0, slice: async () => [] };
    this.space = h("div", { class: "virtual-space", role: "list", "aria-label": "Documents found" });
    this.element = h(
      "div",
      {
        class: "virtual",
        tabindex: 0,
        onscroll: () => this.draw(),
        role: "region",
        "aria-label": "List of documents",
      },
      this.space,
    );
    this.chosen = null;
  }

  show(found) {
    this.found = found;
    this.element.scrollTop = 0;
    this.space.style.setProperty("height", `${Math.min(found.total * ROW_HEIGHT, HIGHEST)}px`);
    this.drawn = "";
    this.draw();
  }

  /** How far rows shift up, in pixels, when the list is taller than browsers allow. */
  #moved(height) {
    const surplus = this.found.total * ROW_HEIGHT - HIGHEST;
    return surplus > 0 ? (this.element.scrollTop / (HIGHEST - height)) * surplus : 0;
  }

  async draw() {
    const height = this.element.clientHeight || 600;
    const moved = this.#moved(height);
    const top = this.element.scrollTop + moved;
    const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN);
    const last = Math.min(this.found.total, Math.ceil((top + height) / ROW_HEIGHT) + OVERSCAN);
    const wanted = `${first} ${last} ${this.chosen} ${moved}`;
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    const docs = await this.found.slice(first, last);
    if (this.drawn === wanted)
      this.space.replaceChildren(...docs.map((doc, i) => this.row(doc, first + i, moved)));
  }

  row(doc, place, moved) {
    const row = h(
      "div",
      {
        role: "listitem",
        class: "virtual-row",
        "--top": `${place * ROW_HEIGHT - moved}px`,
        "aria-setsize": this.found.total,
        "aria-posinset": place + 1,
      },
      h(
        "button",
        {
          type: "button",
          class: "document-button",
          "aria-current": doc.row === this.chosen ? "true" : null,
          onclick: () => this.onopen(doc.row),
        },
        h("span", { class: "document-id" }, data(doc.id)),
        h(
          "span",
          { class: "document-topics" },
          shownShares(doc)
            .slice(0, 3)
            .map(({ topic, share }) => h("span", null, data(topicName(topic)), ` ${percent(share)} `)),
        ),
      ),
    );
    return row;
  }
}

/** A document's topic shares; selecting a topic highlights its words in the text. */
function sharesTable(doc, marking, onmark) {
  return h(
    "table",
    { class: "plain shares" },
    h(
      "caption",
      null,
      `Topic shares with ${credibleLevel()} credible intervals. Select a topic to highlight its words.`,
    ),
    h(
      "tbody",
      null,
      shownShares(doc)
        .slice(0, SHOWN_SHARES)
        .map((part) =>
        h(
          "tr",
          null,
          h(
            "th",
            { scope: "row" },
            button(data(topicName(part.topic)), () => onmark(part.topic), {
              class: "quiet",
              "aria-pressed": String(part.topic === marking),
            }),
          ),
          h("td", { class: "share" }, shareBar(part.share, part.low === null ? null : [part.low, part.high], 1)),
          h(
            "td",
            { class: "figure" },
            percent(part.share),
            h("span", { class: "muted" }, ` ${intervalOf(part)}`),
          ),
        ),
      ),
    ),
  );
}

function documentDetail(doc, onclose) {
  const body = h("div");
  const shares = shownShares(doc);
  const draw = (topic) => {
    body.replaceChildren(
      ...[
        shares.length
          ? sharesTable(doc, topic, (chosen) => {
              draw(chosen);
              body.querySelector("[aria-pressed=true]")?.focus();
            })
          : h("p", { class: "muted" }, "No visible topic has a share of 1% or more."),
        h("p", { class: "muted" }, "Highlighted: ", data(topicName(topic))),
        markedText(doc, topic),
      ],
    );
  };
  draw(query.topic ?? shares[0]?.topic ?? shownTopics()[0] ?? 0);
  return [
    h(
      "header",
      { class: "detail-head" },
      h("h3", { tabindex: -1 }, data(doc.id)),
      button("Close", onclose, { class: "close" }),
    ),
    metadataLine(doc),
    h(
      "p",
      { class: "muted" },
      doc.tokens
        ? `${counted(doc.tokens, "token")} in the vocabulary`
        : "No words in the vocabulary, so the shares are those of the prior.",
    ),
    body,
  ];
}

function documentFilters(columns, search) {
  const set = (change) => {
    Object.assign(query, change);
    search();
  };
  const topicOptions = [["", "any topic"], ...shownTopics().map((id) => [id, `${id}: ${topicName(id)}`])];
  const leastField = field(
    "share at least",
    choice(
      LEAST_SHARES.map((share) => [share, percent(share)]),
      query.least,
      (value) => set({ least: Number(value) }),
    ),
  );
  const chooseTopic = (value) => {
    leastField.hidden = value === "";
    set({ topic: value === "" ? null : Number(value), order: value === "" ? "corpus" : "share" });
  };
  leastField.hidden = query.topic === null;
  const valueField = h("span");
  const drawValues = () => {
    const column = columns.find(({ name }) => name === query.column);
    if (!column) return valueField.replaceChildren();
    const options = [["", "any"], ...column.values.slice(0, 2000).map((value) => [value, value])];
    valueField.replaceChildren(
      field(
        "is",
        choice(options, query.value ?? "", (value) => set({ value: value || null })),
      ),
    );
  };
  const filterable = columns.filter(({ values }) => values.length > 1);
  drawValues();
  return h(
    "form",
    { class: "controls", role: "search", onsubmit: (event) => event.preventDefault() },
    field(
      "Search texts and metadata",
      h("input", {
        type: "search",
        value: query.words,
        autocomplete: "off",
        oninput: debounced(200, (event) => set({ words: event.target.value })),
      }),
      "field wide-field",
    ),
    field("Topic", choice(topicOptions, query.topic ?? "", chooseTopic)),
    leastField,
    filterable.length > 0 &&
      field(
        "Where",
        choice(
          [["", "any metadata"], ...filterable.map(({ name }) => [name, name])],
          query.column ?? "",
          (value) => {
            set({ column: value || null, value: null });
            drawValues();
          },
        ),
      ),
    valueField,
  );
}

/** A note for pages that include only part of the corpus. */
async function carriedNote() {
  const total = Object.values(REPORT.corpus.splits).reduce((sum, split) => sum + split.documents, 0);
  const carried = await STORE.size();
  return carried < total ? `; this page includes ${whole(carried)} of the corpus's ${counted(total, "document")}` : "";
}

const documents = {
  id: "documents",
  title: "Documents",
  render([row]) {
    if (!STORE.available)
      return [h("h2", null, "Documents"), h("p", null, "This report was generated without documents.")];
    if (!shownTopics().includes(query.topic)) Object.assign(query, { topic: null, order: "corpus" });
    const status = h("p", { class: "muted", role: "status" }, "Loading…");
    const detail = h("section", { class: "detail", "aria-label": "Selected document" });
    const filters = h("div");
    let running = new AbortController();
    const open = async (chosen, focus = true) => {
      list.chosen = chosen;
      list.draw();
      const doc = await STORE.document(chosen);
      detail.replaceChildren(...documentDetail(doc, close));
      detail.classList.add("open");
      history.replaceState(null, "", `#documents/${chosen}`);
      if (focus) detail.querySelector("h3").focus();
    };
    const close = () => {
      detail.classList.remove("open");
      detail.replaceChildren(h("p", { class: "muted" }, "Select a document to read it."));
      list.element.focus();
    };
    const list = new VirtualList(open);
    const search = async () => {
      running.abort();
      running = new AbortController();
      const { signal } = running;
      status.textContent = "Searching…";
      const effective = { ...query, ...(query.value === null && { column: null }) };
      const found = await STORE.search(effective, signal, (number, read) => {
        if (!signal.aborted) status.textContent = `Searching… ${percent(read)} done, ${whole(number)} found`;
      });
      if (signal.aborted) return;
      status.textContent = `${counted(found.total, "document")} found${await carriedNote()}`;
      list.show(found);
    };
    STORE.columns().then((columns) => {
      filters.replaceChildren(documentFilters(columns, search));
      search();
      STORE.size().then((size) => Number(row) < size && /^\d+$/.test(row) && open(Number(row), false));
    });
    detail.append(h("p", { class: "muted" }, "Select a document to read it."));
    return [
      h("h2", null, "Documents"),
      filters,
      status,
      h("div", { class: "documents-layout" }, list.element, detail),
    ];
  },
};
