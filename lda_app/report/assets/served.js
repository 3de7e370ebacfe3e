// The documents and the analyst's labels where the page comes from `lda-app serve`: asked of the server it came
// from, which reads documents from disk and writes labels to the run.

class ServerStore {
  #about = null;
  #documents = new Map();
  #texts = new Map();
  #saving = Promise.resolve();
  #saved = h("p", { role: "status" });

  get available() {
    return true;
  }

  /** Ask the server; an Error says what it refused. */
  async #ask(name, parameters = {}, options = {}) {
    const given = Object.entries(parameters).filter(([, value]) => value !== null);
    const headers = { "X-Lda-App-Token": REPORT.token, ...options.headers };
    const address = `/api/${name}?${new URLSearchParams(given)}`;
    const response = await fetch(address, { ...options, headers }).catch(() => {
      throw new Error("lda-app serve does not answer");
    });
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    return content;
  }

  /** What is asked for, once: of many documents the oldest are forgotten. */
  #remembered(kept, name, row) {
    if (!kept.has(row)) {
      if (kept.size >= 100) kept.delete(kept.keys().next().value);
      kept.set(row, this.#ask(name, { row }));
    }
    return kept.get(row);
  }

  #aboutCorpus() {
    return (this.#about ??= this.#ask("about"));
  }

  async size() {
    return (await this.#aboutCorpus()).size;
  }

  async columns() {
    return (await this.#aboutCorpus()).columns;
  }

  representative(topic) {
    return this.#ask("representative", { topic });
  }

  questions() {
    return this.#ask("questions");
  }

  async document(row) {
    const { shares, ...doc } = await this.#remembered(this.#documents, "document", row);
    return { ...doc, ...unpackShares(shares) };
  }

  async text(row) {
    return (await this.#remembered(this.#texts, "text", row)).text;
  }

  /** A reader of the words of one document. */
  async reader(row) {
    const { reader, vocabulary, levels, lowest, highest } = await this.#remembered(this.#texts, "text", row);
    const bytes = Uint8Array.from(atob(levels), (character) => character.charCodeAt(0));
    return new Reader(reader, vocabulary, bytes, lowest, highest);
  }

  /** Find documents, as the page's own store does: the server answers in parts. */
  async search({ order = "corpus", ...query }, signal, ontold = () => {}) {
    const rows = [];
    const shares = [];
    for (let cursor = 0; cursor !== null; ) {
      const found = await this.#ask("search", { ...query, cursor });
      if (signal?.aborted) break;
      for (const row of found.rows) rows.push(row);
      for (const share of found.shares ?? []) shares.push(share);
      ({ cursor } = found);
      if (cursor !== null) ontold(rows.length, cursor / (await this.size()));
    }
    const places = Array.from(rows.keys());
    if (order === "share" && shares.length) places.sort((a, b) => shares[b] - shares[a]);
    return {
      total: rows.length,
      slice: (start, end) => this.#listed(places.slice(start, end).map((place) => rows[place])),
    };
  }

  async #listed(rows) {
    const docs = rows.length ? await this.#ask("documents", { rows: rows.join() }) : [];
    return docs.map(({ shares, ...doc }) => ({ ...doc, parts: shares, merged: [] }));
  }

  /** The run has the labels, not the browser. */
  keptLabels() {
    return null;
  }

  /** Write the labels to the run, one state of them after the other. */
  keepLabels() {
    this.#saving = this.#saving.then(() => this.#save());
  }

  async #save() {
    if (!isEdited()) return;
    const written = structuredClone(labels);
    const body = JSON.stringify({ labels: labelsFile(written), instead_of: labelsFile(known) });
    const headers = { "Content-Type": "application/json" };
    try {
      await this.#ask("labels", {}, { method: "POST", headers, body });
      modelKnows(written);
      this.#saved.textContent = "Saved";
    } catch (error) {
      this.#saved.textContent = `Not saved: ${error.message}`;
    }
    document.querySelector("#masthead .title").append(this.#saved);
  }

  /** Shares are drawn by the labels that the run has. */
  forgetDocuments() {
    this.#documents.clear();
  }

  /** How edits come to the model. */
  aboutEdits() {
    return "and are saved to the run at once.";
  }

  get origin() {
    return "Documents come from lda-app serve on this machine; they are found and listed by the means of q(θ|w), and shown with draws of the exact posterior.";
  }
}

const COMPLAINT = h("p", { role: "alert" });

/** What the server did not answer is said above the page. */
addEventListener("unhandledrejection", ({ reason }) => {
  COMPLAINT.textContent = `Not answered: ${reason.message}. Reload the page to try again.`;
  document.getElementById("masthead").append(COMPLAINT);
});

const STORE = new ServerStore();
