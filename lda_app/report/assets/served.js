// Store of the page served by `lda-app serve`: the server reads documents from disk and writes labels to the run.

class ServerStore {
  #about = null;
  #documents = new Map();
  #texts = new Map();
  #saving = Promise.resolve();
  #saved = h("p", { role: "status" });

  get available() {
    return true;
  }

  /** Send a request to the server; throws an Error with the server's message if it is refused. */
  async #ask(name, parameters = {}, options = {}) {
    const given = Object.entries(parameters).filter(([, value]) => value !== null);
    const headers = { "X-Lda-App-Token": REPORT.token, ...options.headers };
    const address = `/api/${name}?${new URLSearchParams(given)}`;
    const response = await fetch(address, { ...options, headers }).catch(() => {
      throw new Error("lda-app serve is not responding");
    });
    const content = await response.json();
    if (!response.ok) throw new Error(content.error);
    return content;
  }

  /** Cache of responses by row; the oldest entries are dropped. */
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

  /** A reader for the words of one document. */
  async reader(row) {
    const { reader, vocabulary, levels, lowest, highest } = await this.#remembered(this.#texts, "text", row);
    const bytes = Uint8Array.from(atob(levels), (character) => character.charCodeAt(0));
    return new Reader(reader, vocabulary, bytes, lowest, highest);
  }

  /** Find documents, as in PageStore; the server returns the results in batches. */
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

  /** Labels are kept in the run, not in the browser. */
  keptLabels() {
    return null;
  }

  /** Queue the labels to be written to the run; writes happen in order. */
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

  /** Drop cached documents: their shares depend on the run's labels. */
  forgetDocuments() {
    this.#documents.clear();
  }

  /** How edits are applied to the model. */
  aboutEdits() {
    return "and are saved to the run.";
  }

  get origin() {
    return "Documents are read by lda-app serve on this machine. Search results and lists use the means of q(θ|w); a single document uses draws from the exact posterior.";
  }
}

const COMPLAINT = h("p", { role: "alert" });

/** Show failed requests at the top of the page. */
addEventListener("unhandledrejection", ({ reason }) => {
  COMPLAINT.textContent = `Request failed: ${reason.message}. Reload the page to try again.`;
  document.getElementById("masthead").append(COMPLAINT);
});

const STORE = new ServerStore();
