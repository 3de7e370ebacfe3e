// The report's data, and the reader that finds a topic's words in a text.

const REPORT = JSON.parse(document.getElementById("data").textContent);
const PARTS = 1000; // a document's shares are stored as integers in units of 1 / PARTS

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
   * The probability that each word of a text comes from any of the given topics: Σ_k φ_wk, where
   * φ_wk = θ_k β_kw / Σ_j θ_j β_jw.
   *
   * Shares that are not in the page are spread evenly over the remaining topics.
   *
   * @returns [start, end, φ] for each vocabulary word in the text
   */
  responsibilities(text, shares, members) {
    const numTopics = REPORT.model.num_topics;
    const rest = Math.max(0, 1 - shares.reduce((sum, { share }) => sum + share, 0));
    const theta = new Array(numTopics).fill(rest / Math.max(1, numTopics - shares.length));
    for (const { topic: k, share } of shares) theta[k] = share;
    const known = new Map();
    const strength = (word) => {
      if (!known.has(word)) {
        const all = theta.reduce((sum, share, k) => sum + share * this.beta(k, word), 0);
        const own = members.reduce((sum, k) => sum + theta[k] * this.beta(k, word), 0);
        known.set(word, own / all);
      }
      return known.get(word);
    };
    return this.#wordsIn(text).map(([start, end, words]) => [start, end, Math.max(...words.map(strength))]);
  }

  /** Vocabulary words in a text, preferring phrases over their parts: [start, end, ids]. */
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

  /** Length of the vocabulary phrase that starts at a form, or 1 if there is none. */
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
