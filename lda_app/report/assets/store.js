// The documents, behind promises: this page unpacks them from itself when they are first asked for.
// A store answers `columns`, `search`, `document`, `text`, `reader` and `representative`; whatever answers the
// same, such as a server that pages documents, can take the place of this one.

const REPORT = JSON.parse(document.getElementById("data").textContent);
const PARTS = 1000;

async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream);
}

class PageStore {
  #unpacked = null;
  #texts = new Map();
  #reader = null;

  /** Whether the page carries documents at all. */
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

  /** How many documents there are. */
  async size() {
    return (await this.#content()).ids.length;
  }

  /** Metadata columns: {name, values}; the split is one of them. */
  async columns() {
    const { columns, splits } = await this.#content();
    const all = columns.map(({ name, values }) => ({ name, values }));
    return splits.length > 1
      ? [...all, { name: "split", values: splits.map(([name]) => name), own: true }]
      : all;
  }

  /** Rows of the documents with the largest shares of a topic, the largest first. */
  async representative(topic) {
    return (await this.#content()).representative[topic] ?? [];
  }

  /** Documents with three topics of theirs and one that is not, for the quiz. */
  async questions() {
    return (await this.#content()).questions;
  }

  async document(row) {
    const { ids, splitOf, columns, shares, tokens } = await this.#content();
    const packed = shares[row];
    const parts = [];
    for (let i = 0; i < packed.length; i += 4) {
      const [topic, share, low, high] = packed.slice(i, i + 4);
      parts.push({ topic, share: share / PARTS, low: low / PARTS, high: high / PARTS });
    }
    const metadata = columns
      .filter(({ codes }) => codes[row] >= 0)
      .map(({ name, values, codes }) => [name, values[codes[row]]]);
    return { row, id: ids[row], split: splitOf[row], shares: parts, tokens: tokens[row], metadata };
  }

  /** The text of a document; null where none was stored. */
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
   * @param query words (all must occur in id, metadata or text), topic and least share of it, column and value,
   *   order ("corpus", or "share" for the largest share of the topic first)
   * @returns total, and `slice(start, end)` that gives documents
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
      const shareOf = new Map(rows.map((row) => [row, this.#share(content.shares[row], topic)]));
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

  #share(packed, topic) {
    for (let i = 0; i < packed.length; i += 4) if (packed[i] === topic) return packed[i + 1];
    return 0;
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

  /** What words of the vocabulary a form of a text stands for, and how probable they are in each topic. */
  reader() {
    this.#reader ??= this.#content().then(async ({ reader, vocabulary }) => {
      const [lowest, highest, packed] = document.getElementById("beta").textContent.split(" ");
      const levels = new Uint8Array(await (await inflate(packed)).arrayBuffer());
      return new Reader(reader, vocabulary, levels, Number(lowest), Number(highest));
    });
    return this.#reader;
  }
}

class Reader {
  static #FORM = /[\p{L}\p{M}\p{N}\p{Cf}'’ʼ＇]+/gu;

  constructor({ lowercase, forms }, vocabulary, levels, lowest, highest) {
    this.lowercase = lowercase;
    this.forms = new Map(Object.entries(forms));
    this.ids = new Map(vocabulary.map((word, id) => [word, id]));
    this.longestPhrase = vocabulary.reduce((most, word) => Math.max(most, word.split(" ").length), 1);
    this.levels = levels;
    this.numWords = vocabulary.length;
    this.scale = Array.from({ length: 256 }, (_, level) =>
      Math.exp(lowest + ((highest - lowest) * level) / 255),
    );
  }

  /** β, the probability of a word in a topic. */
  beta(topic, word) {
    return this.scale[this.levels[topic * this.numWords + word]];
  }

  #wordsOf(form) {
    const read = this.#read(form);
    const word = this.ids.get(read);
    return word === undefined ? (this.forms.get(read) ?? []) : [word];
  }

  /**
   * How much of each word of a text is of a topic: φ_wk = θ_k β_kw / Σ_j θ_j β_jw.
   *
   * Shares that the page does not carry are spread evenly over the other topics.
   *
   * @returns [start, end, φ] for each word of the vocabulary in the text
   */
  responsibilities(text, shares, topic) {
    const numTopics = REPORT.model.num_topics;
    const rest = Math.max(0, 1 - shares.reduce((sum, { share }) => sum + share, 0));
    const theta = new Array(numTopics).fill(rest / Math.max(1, numTopics - shares.length));
    for (const { topic: k, share } of shares) theta[k] = share;
    const known = new Map();
    const strength = (word) => {
      if (!known.has(word)) {
        const all = theta.reduce((sum, share, k) => sum + share * this.beta(k, word), 0);
        known.set(word, (theta[topic] * this.beta(topic, word)) / all);
      }
      return known.get(word);
    };
    return this.#wordsIn(text).map(([start, end, words]) => [start, end, Math.max(...words.map(strength))]);
  }

  /** Words of the vocabulary in a text, phrases before their parts: [start, end, ids]. */
  #wordsIn(text) {
    const forms = Array.from(text.matchAll(Reader.#FORM), (match) => ({
      text: match[0],
      start: match.index,
      end: match.index + match[0].length,
    }));
    const found = [];
    for (let i = 0; i < forms.length; i += 1) {
      const length = this.#phraseLength(text, forms, i);
      const words =
        length > 1 ? [this.ids.get(this.#joined(forms, i, length))] : this.#wordsOf(forms[i].text);
      if (words.length) found.push([forms[i].start, forms[i + length - 1].end, words]);
      i += length - 1;
    }
    return found;
  }

  /** How many forms from a place on are a phrase of the vocabulary; 1 where there is none. */
  #phraseLength(text, forms, first) {
    for (let length = Math.min(this.longestPhrase, forms.length - first); length > 1; length -= 1) {
      const adjacent = forms
        .slice(first + 1, first + length)
        .every((form, i) => /^[\s_-]*$/.test(text.slice(forms[first + i].end, form.start)));
      if (adjacent && this.ids.has(this.#joined(forms, first, length))) return length;
    }
    return 1;
  }

  #joined(forms, first, length) {
    return forms
      .slice(first, first + length)
      .map((form) => this.#read(form.text))
      .join(" ");
  }

  #read(form) {
    return this.lowercase ? form.toLowerCase() : form;
  }
}

const STORE = new PageStore();
