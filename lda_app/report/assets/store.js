// Store of the standalone page. Documents are embedded in the page and unpacked on first use; the analyst's labels
// are kept in the browser's localStorage. In a served page, the store in served.js replaces this one.

const REPRESENTATIVE = 10; // representative documents per topic

async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream);
}

class PageStore {
  static #KEPT_AS = `lda-app labels ${REPORT.about}`;
  #unpacked = null;
  #texts = new Map();
  #reader = null;

  /** Whether the page includes any documents. */
  get available() {
    return REPORT.carried;
  }

  #content() {
    this.#unpacked ??= inflate(document.getElementById("documents").textContent)
      .then((response) => response.json())
      .then((content) => {
        const packed = document.getElementById("texts").textContent;
        content.packedTexts = packed ? packed.split("\n") : [];
        content.chunkStarts = [0];
        for (const size of content.chunks) content.chunkStarts.push(content.chunkStarts.at(-1) + size);
        content.splitOf = content.splits.flatMap(([name, size]) => new Array(size).fill(name));
        return content;
      });
    return this.#unpacked;
  }

  /** The number of documents. */
  async size() {
    return (await this.#content()).ids.length;
  }

  /** Metadata columns as {name, values}, including the split. */
  async columns() {
    const { columns, splits } = await this.#content();
    const all = columns.map(({ name, values }) => ({ name, values }));
    return splits.length > 1
      ? [...all, { name: "split", values: splits.map(([name]) => name), own: true }]
      : all;
  }

  /** Rows of the documents with the largest shares of a topic, in descending order. */
  async representative(topic) {
    const { representative, shares, splits } = await this.#content();
    if (isAsGiven(topic)) return representative[topic] ?? [];
    const rows = Array.from({ length: splits[0][1] }, (_, row) => row);
    const shareOf = rows.map(this.#shareOf(topic, shares));
    return rows.sort((a, b) => shareOf[b] - shareOf[a] || a - b).slice(0, REPRESENTATIVE);
  }

  /** Topic intrusion questions: a document, three of its topics and one intruder. */
  async questions() {
    return (await this.#content()).questions;
  }

  async document(row) {
    const { ids, splitOf, columns, shares, tokens } = await this.#content();
    const metadata = columns
      .filter(({ codes }) => codes[row] >= 0)
      .map(({ name, values, codes }) => [name, values[codes[row]]]);
    return { row, id: ids[row], split: splitOf[row], ...unpackShares(shares[row]), tokens: tokens[row], metadata };
  }

  /** The text of a document, or null if it was not stored. */
  async text(row) {
    const { chunkStarts } = await this.#content();
    if (chunkStarts.length < 2) return null;
    let chunk = 0;
    while (chunkStarts[chunk + 1] <= row) chunk += 1;
    return (await this.#chunk(chunk))[row - chunkStarts[chunk]];
  }

  #chunk(number) {
    if (!this.#texts.has(number)) {
      const unpack = this.#content().then(async (content) =>
        (await inflate(content.packedTexts[number])).json(),
      );
      this.#texts.set(number, unpack);
    }
    return this.#texts.get(number);
  }

  /**
   * Find documents.
   *
   * @param query words (all must occur in the id, metadata or text), topic and its minimum share, column and value,
   *   order ("corpus", or "share" for descending share of the topic)
   * @param signal aborts the search when a new one starts
   * @returns total, and `slice(start, end)`, which returns documents
   */
  async search(
    { words = "", topic = null, least = 0, column = null, value = null, order = "corpus" },
    signal,
  ) {
    const content = await this.#content();
    let rows = Array.from(content.ids.keys());
    if (column === "split" && !content.columns.some(({ name }) => name === "split")) {
      rows = rows.filter((row) => content.splitOf[row] === value);
    } else if (column !== null) {
      const { values, codes } = content.columns.find(({ name }) => name === column);
      const code = values.indexOf(value);
      rows = rows.filter((row) => codes[row] === code);
    }
    if (topic !== null) {
      const share = this.#shareOf(topic, content.shares);
      const shareOf = new Map(rows.map((row) => [row, share(row)]));
      rows = rows.filter((row) => shareOf.get(row) >= Math.max(least * PARTS, 1));
      if (order === "share") rows.sort((a, b) => shareOf.get(b) - shareOf.get(a));
    }
    const terms = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (terms.length) rows = await this.#containing(content, rows, terms, signal);
    return {
      total: rows.length,
      slice: (start, end) => Promise.all(rows.slice(start, end).map((row) => this.document(row))),
    };
  }

  /** A function from rows to shares of a topic, including topics merged into it, in units of 1 / PARTS. */
  #shareOf(topic, shares) {
    const members = new Set(membersOf(topic));
    const exact = isAsGiven(topic) ? -1 - topic : null;
    return (row) => {
      const packed = shares[row];
      let sum = 0;
      for (let i = 0; i < packed.length; i += 4) {
        if (packed[i] === exact) return packed[i + 1];
        if (members.has(packed[i])) sum += packed[i + 1];
      }
      return sum;
    };
  }

  async #containing(content, rows, terms, signal) {
    const found = [];
    for (const [place, row] of rows.entries()) {
      if (place % 500 === 0) {
        await new Promise((resume) => setTimeout(resume));
        if (signal?.aborted) return [];
      }
      const described = [
        content.ids[row],
        ...content.columns.map(({ values, codes }) => values[codes[row]] ?? ""),
      ];
      const missing = terms.filter((term) => !described.some((text) => text.toLowerCase().includes(term)));
      if (!missing.length) found.push(row);
      else {
        const text = ((await this.text(row)) ?? "").toLowerCase();
        if (missing.every((term) => text.includes(term))) found.push(row);
      }
    }
    return found;
  }

  /** A reader that maps word forms to the vocabulary and knows each word's probability in each topic. */
  reader() {
    this.#reader ??= this.#content().then(async ({ reader, vocabulary }) => {
      const [lowest, highest, packed] = document.getElementById("beta").textContent.split(" ");
      const levels = new Uint8Array(await (await inflate(packed)).arrayBuffer());
      return new Reader(reader, vocabulary, levels, Number(lowest), Number(highest));
    });
    return this.#reader;
  }

  /** Labels stored in the browser, or null. */
  keptLabels() {
    try {
      return JSON.parse(localStorage.getItem(PageStore.#KEPT_AS));
    } catch {
      return null; // some browsers have no storage for local files
    }
  }

  keepLabels() {
    try {
      localStorage.setItem(PageStore.#KEPT_AS, JSON.stringify(labels));
    } catch {
      // not stored: the edits last until the page is closed
    }
  }

  /** Nothing to do: no cached document depends on the labels. */
  forgetDocuments() {}

  /** How to apply edits to the model. */
  aboutEdits() {
    return [
      "and are kept in this browser. To apply them to the model, download labels.json and run ",
      h("code", null, "lda-app label RUN --import labels.json"),
      ".",
    ];
  }

  get origin() {
    return "This page loads nothing from the network.";
  }
}

const STORE = new PageStore();
